using Conformance.Running;
using Conformance.Wire;
using static Conformance.Running.Requirement;

namespace Conformance.Cases;

/// <summary>FIN, in every place where it can stand. That the target sends no second one is checked in every case.</summary>
internal static class HalfCloseCases
{
    public static IEnumerable<SpecCase> All { get; } =
    [
        new("halfclose.1", Must, "FIN without data is answered by FIN.", "spec: Closing a stream", async peer => await peer.FinishAsync(await peer.OpenAsync())),
        new("halfclose.2", Must, "After our FIN the rest of the echo comes, then FIN.", "spec: Closing a stream, half closed", async peer =>
        {
            var stream = await peer.OpenAsync();
            await peer.SendAsync(Frame.Data(stream.Id, TestedPeer.Pattern(100_000)), Frame.Fin(stream.Id));
            await peer.ExpectEchoAndFinAsync(stream);
        }),
        new("halfclose.3", Must, "FIN on a Data frame comes behind its payload.", "spec: Flag Field", async peer =>
        {
            var stream = await peer.OpenAsync();
            await peer.SendAsync(Frame.Data(stream.Id, TestedPeer.Pattern(1000), FrameFlags.Fin));
            await peer.ExpectEchoAndFinAsync(stream);
        }),
        new("halfclose.4", Must, "FIN on a Data frame without payload ends the stream.", "spec: Flag Field", async peer =>
        {
            var stream = await peer.OpenAsync();
            await peer.SendAsync(Frame.Data(stream.Id, TestedPeer.Pattern(10)), Frame.Data(stream.Id, default, FrameFlags.Fin));
            await peer.ExpectEchoAndFinAsync(stream);
        }),
        new("halfclose.5", Must, "SYN, payload and FIN may be one Data frame.", "spec: Flag Field", async peer =>
        {
            var id = peer.OurId(1);
            await peer.SendAsync(Frame.Data(id, TestedPeer.Pattern(1000), FrameFlags.Syn | FrameFlags.Fin));
            await peer.ExpectEchoAndFinAsync(peer.Stream(id));
        }),
        new("halfclose.6", Must, "SYN, data and FIN may come together, before the ACK.", "hashicorp/yamux", async peer =>
        {
            var id = peer.OurId(1);
            await peer.SendAsync(Frame.Syn(id), Frame.Data(id, TestedPeer.Pattern(30_000)), Frame.Fin(id));
            await peer.ExpectEchoAndFinAsync(peer.Stream(id));
        }),
        new("halfclose.7", Must, "FIN does not overtake data that waits for credit.", "hashicorp/yamux#86, Nerdbank.Streams#88", async peer =>
        {
            var stream = await CreditCases.StallAsync(peer);
            await peer.SendAsync(Frame.Fin(stream.Id));
            await ExpectNoFinAsync(peer, stream);
            await peer.SendAsync(Frame.WindowUpdate(stream.Id, 999));
            await peer.UntilAsync("999 bytes more", () => stream.Received == Frame.InitialWindow + 999);
            await ExpectNoFinAsync(peer, stream);
            await peer.SendAsync(Frame.WindowUpdate(stream.Id, 1));
            await peer.ExpectEchoAndFinAsync(stream);
        }),
        new("halfclose.8", Should, "FIN is a window update of its own, with delta 0.", "the .NET library Yamux drops a payload that comes with FIN", async peer =>
        {
            var stream = await peer.OpenAsync();
            await peer.EchoAsync(stream, TestedPeer.Pattern(10));
            await peer.FinishAsync(stream);
            if (stream.FinFrame is not { Type: FrameType.WindowUpdate, Flags: FrameFlags.Fin, Length: 0 })
            {
                throw new SpecFailedException("WindowUpdate FIN delta 0", $"{stream.FinFrame}");
            }
        }),
        new SpecCase("halfclose.9", Must, "A second FIN of ours does not end the session.", "an end that is told twice is the same end", async peer =>
        {
            var stream = await CreditCases.StallAsync(peer);
            await peer.SendAsync(Frame.Fin(stream.Id), Frame.Fin(stream.Id));
            await peer.SendAsync(Frame.WindowUpdate(stream.Id, Frame.InitialWindow));
            await peer.ExpectEchoAndFinAsync(stream);
            await peer.ExpectAliveAsync();
        }).In(Profile.Hashicorp, "A second FIN of ours, while the target's is to come, ends the session.", async peer =>
        {
            var stream = await CreditCases.StallAsync(peer);
            await peer.SendAsync(Frame.Fin(stream.Id), Frame.Fin(stream.Id));
            await peer.ExpectEndAsync();
        }),
        new("halfclose.10", Must, "Nothing comes for a stream that both sides have finished.", "spec: Closing a stream", async peer =>
        {
            var stream = await peer.OpenAsync();
            await peer.EchoAsync(stream, TestedPeer.Pattern(200_000));
            await peer.FinishAsync(stream);
            await peer.ExpectNothingAsync(stream, "nothing after both FINs");
        }),
        new("halfclose.11", Must, "The end of one stream leaves the others alone.", "spec: Closing a stream", async peer =>
        {
            var first = await peer.OpenAsync(1);
            var second = await peer.OpenAsync(2);
            await peer.FinishAsync(first);
            await peer.EchoAsync(second, TestedPeer.Pattern(500_000));
            await peer.FinishAsync(second);
        }),
        new("halfclose.12", Must, "FIN while the target's own data stalls is not lost.", "hashicorp/yamux#133", async peer =>
        {
            var stream = await CreditCases.StallAsync(peer);
            await peer.SendAsync(Frame.Fin(stream.Id));
            await peer.EchoAsync(await peer.OpenAsync(2), TestedPeer.Pattern(1000));
            await peer.SendAsync(Frame.WindowUpdate(stream.Id, Frame.InitialWindow));
            await peer.ExpectEchoAndFinAsync(stream);
        }),
        new("halfclose.13", Should, "Data after our FIN is not delivered.", "spec: Closing a stream", async peer =>
        {
            // Behind a stall, so that the stream is still open at the target when it comes.
            var stream = await CreditCases.StallAsync(peer);
            await peer.SendAsync(Frame.Fin(stream.Id));
            await peer.SendRawAsync(Frame.Data(stream.Id, TestedPeer.Pattern(100)).ToBytes(), $"Data stream {stream.Id} length 100, after FIN");
            await peer.SendAsync(Frame.WindowUpdate(stream.Id, Frame.InitialWindow));
            await peer.UntilAsync("the echo of what came before FIN, or the end of the session", () => stream.FinReceived || stream.RstReceived || peer.HasEnded);
        }),
    ];

    private static async Task ExpectNoFinAsync(TestedPeer peer, TestedStream stream)
    {
        await peer.SettleAsync();
        if (stream.FinReceived)
        {
            throw new SpecFailedException("no FIN while a byte of the echo waits for credit", $"FIN after {stream.Received} of {stream.Sent} bytes");
        }
    }
}
