using Conformance.Running;
using Conformance.Wire;
using static Conformance.Running.Requirement;

namespace Conformance.Cases;

/// <summary>RST. That nothing comes behind one of the target's is checked in every case.</summary>
internal static class ResetCases
{
    public static IEnumerable<SpecCase> All { get; } =
    [
        new("reset.1", Must, "RST ends the stream and not the session.", "spec: Flag Field", async peer =>
        {
            var stream = await peer.OpenAsync();
            await peer.EchoAsync(stream, TestedPeer.Pattern(100));
            await peer.SendAsync(Frame.Rst(stream.Id));
            await peer.ExpectAliveAsync();
        }),
        new("reset.2", Must, "Nothing comes for a stream that was reset.", "spec: Flag Field", async peer =>
        {
            var stream = await CreditCases.StallAsync(peer);
            await peer.SendAsync(Frame.Rst(stream.Id));
            await peer.SettleAsync();
            await peer.SendAsync(Frame.WindowUpdate(stream.Id, Frame.InitialWindow));
            await peer.ExpectNothingAsync(stream, "nothing after our RST");
        }),
        new("reset.3", Must, "The payload of a Data frame with RST is taken off the wire.", "spec: Length Field", async peer =>
        {
            var stream = await peer.OpenAsync();
            await peer.SendAsync(Frame.Data(stream.Id, TestedPeer.Pattern(5000), FrameFlags.Rst));
            await peer.ExpectAliveAsync();
        }),
        new("reset.4", Must, "SYN and RST may be one frame.", "spec: Flag Field", async peer =>
        {
            await peer.SendAsync(Frame.WindowUpdate(peer.OurId(1), 0, FrameFlags.Syn | FrameFlags.Rst));
            await peer.ExpectAliveAsync();
        }),
        new("reset.5", Must, "RST right behind SYN and data is harmless.", "hashicorp/yamux#26", async peer =>
        {
            for (var number = 1u; number <= 50; number++)
            {
                var id = peer.OurId(number);
                await peer.SendAsync(Frame.Syn(id), Frame.Data(id, TestedPeer.Pattern(10)), Frame.Rst(id));
            }

            await peer.ExpectAliveAsync();
        }),
        new("reset.6", Must, "RST after our FIN ends the stream.", "spec: Flag Field", async peer =>
        {
            var stream = await CreditCases.StallAsync(peer);
            await peer.SendAsync(Frame.Fin(stream.Id), Frame.Rst(stream.Id));
            await peer.SettleAsync();
            await peer.SendAsync(Frame.WindowUpdate(stream.Id, Frame.InitialWindow));
            await peer.ExpectNothingAsync(stream, "nothing after our RST");
            await peer.ExpectAliveAsync();
        }),
        new("reset.7", Must, "FIN, data and RST after RST are passed over, and never answered.", "frames that crossed the RST on the way", async peer =>
        {
            var stream = await peer.EstablishAsync();
            await peer.SendAsync(Frame.Rst(stream.Id));
            await peer.SettleAsync();
            await peer.SendAsync(Frame.Data(stream.Id, TestedPeer.Pattern(5000)), Frame.Fin(stream.Id), Frame.Rst(stream.Id));
            await peer.ExpectNothingAsync(stream, "nothing after our RST");
            await peer.ExpectAliveAsync();
        }),
        new("reset.8", Must, "An RST is not answered by an RST.", "spec: Flag Field", async peer =>
        {
            var stream = await peer.OpenAsync();
            await peer.SendAsync(Frame.Rst(stream.Id));
            await peer.SettleAsync();
            if (stream.RstReceived)
            {
                throw new SpecFailedException("no answer to RST", "RST");
            }
        }),
        new("reset.9", Should, "The length of a window update with RST is no credit and no fault.", "go-yamux v5 puts an error code there", async peer =>
        {
            var stream = await peer.OpenAsync();
            await peer.SendAsync(Frame.WindowUpdate(stream.Id, 42, FrameFlags.Rst));
            await peer.ExpectAliveAsync();
        }),
        new("reset.10", Must, "Streams that were reset make room: 1,500 of them, each after an echo, on one session.", "hashicorp/yamux#28: slots that leak", async peer =>
        {
            for (var number = 1u; number <= 1500; number++)
            {
                await peer.SendAsync(Frame.Rst((await peer.EstablishAsync(number)).Id));
            }

            await peer.ExpectAliveAsync(2000);
        }),
        new("reset.11", Must, "RST of one stream leaves a transfer on another alone.", "spec: Flag Field", async peer =>
        {
            var kept = await peer.OpenAsync();
            for (var number = 2u; number <= 20; number++)
            {
                var stream = await peer.OpenAsync(number);
                await peer.SendAsync(Frame.Data(kept.Id, TestedPeer.Pattern(3000)), Frame.Data(stream.Id, TestedPeer.Pattern(3000)), Frame.Rst(stream.Id));
            }

            await peer.FinishAsync(kept);
        }),
        ProtocolError.Case("reset.12", "SYN for a stream that was reset", "spec: StreamID Field, ids are unique", ReuseAsync)
            .In(Profile.Hashicorp, "The id of a stream that was reset can be used again.", ReuseWorksAsync)
            .In(Profile.Libp2p, "The id of a stream that was reset can be used again.", ReuseWorksAsync),
        new("reset.13", Should, "The greatest length on a window update with RST is no overflow of credit.", "go-yamux v5 puts an error code there", async peer =>
        {
            var stream = await peer.EstablishAsync();
            await peer.SendAsync(Frame.WindowUpdate(stream.Id, uint.MaxValue, FrameFlags.Rst));
            await peer.ExpectAliveAsync();
        }),
    ];

    private static async Task ReuseAsync(TestedPeer peer)
    {
        var stream = await peer.EstablishAsync();
        await peer.SendAsync(Frame.Rst(stream.Id));
        await peer.SettleAsync();
        await peer.SendAsync(Frame.Syn(stream.Id));
    }

    private static async Task ReuseWorksAsync(TestedPeer peer)
    {
        var stream = await peer.EstablishAsync();
        await peer.SendAsync(Frame.Rst(stream.Id));
        await peer.SettleAsync();
        peer.Forget(stream);
        await peer.EstablishAsync();
    }
}
