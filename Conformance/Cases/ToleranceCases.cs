using Conformance.Running;
using Conformance.Wire;
using static Conformance.Running.Requirement;

namespace Conformance.Cases;

/// <summary>What is odd, is sent by some implementation, and must be borne.</summary>
internal static class ToleranceCases
{
    private const FrameFlags Unknown = (FrameFlags)0x8010;

    public static IEnumerable<SpecCase> All { get; } =
    [
        new("tolerate.1", Must, "A window update of 0 is harmless.", "hashicorp/yamux sends its ACK so", OnStream(id => [Frame.WindowUpdate(id, 0)])),
        new("tolerate.2", Should, "ACK on a window update of the opener's is ignored.", "spec: Flag Field", OnStream(id => [Frame.WindowUpdate(id, 0, FrameFlags.Ack)])),
        new("tolerate.3", Should, "ACK on Data of the opener's does not touch the payload.", "spec: Flag Field", async peer =>
        {
            var stream = await peer.OpenAsync();
            await peer.SendAsync(Frame.Data(stream.Id, TestedPeer.Pattern(100), FrameFlags.Ack));
            await peer.ExpectEchoAsync(stream);
            await peer.FinishAsync(stream);
        }),
        new("tolerate.4", Should, "FIN with ACK on Data without payload is a FIN.", "rust-yamux closes streams so", async peer =>
        {
            var stream = await peer.OpenAsync();
            await peer.EchoAsync(stream, TestedPeer.Pattern(100));
            await peer.SendAsync(Frame.Data(stream.Id, default, FrameFlags.Fin | FrameFlags.Ack));
            await peer.ExpectEchoAndFinAsync(stream);
        }),
        new("tolerate.5", Must, "Credit that comes after our FIN counts.", "spec: Closing a stream, half closed", async peer =>
        {
            var stream = await CreditCases.StallAsync(peer);
            await peer.SendAsync(Frame.Fin(stream.Id), Frame.WindowUpdate(stream.Id, Frame.InitialWindow));
            await peer.ExpectEchoAndFinAsync(stream);
        }),
        new("tolerate.6", Must, "A window update for a stream that is closed is passed over.", "it may cross the FIN on the way", OnClosed(id => [Frame.WindowUpdate(id, 1000)])),
        new("tolerate.7", Should, "Data for a stream that is closed is passed over, payload and all.", "spec: Closing a stream", OnClosed(id => [Frame.Data(id, TestedPeer.Pattern(5000))])),
        new("tolerate.8", Must, "RST for a stream that is closed is passed over.", "it may cross the FIN on the way", OnClosed(id => [Frame.Rst(id)])),
        new("tolerate.9", Should, "FIN for a stream that is closed is passed over.", "spec: Closing a stream", OnClosed(id => [Frame.Fin(id)])),
        new("tolerate.10", Must, "A window update for a stream that was never opened is passed over.", "hashicorp/yamux", OnUnknown(id => [Frame.WindowUpdate(id, 1000)])),
        new("tolerate.11", Should, "Data for a stream that was never opened is passed over, payload and all.", "hashicorp/yamux", OnUnknown(id => [Frame.Data(id, TestedPeer.Pattern(5000))])),
        new("tolerate.12", Must, "RST for a stream that was never opened is passed over.", "hashicorp/yamux", OnUnknown(id => [Frame.Rst(id)])),
        new("tolerate.13", Must, "FIN for a stream that was never opened is passed over.", "rust-yamux closes unused streams so", OnUnknown(id => [Frame.Fin(id), Frame.Data(id, default, FrameFlags.Fin)])),
        new("tolerate.14", Must, "Frames with an id of the target's parity that it never opened are passed over.", "hashicorp/yamux", async peer =>
        {
            await peer.SendAsync(Frame.WindowUpdate(peer.TheirId(5), 100), Frame.Data(peer.TheirId(5), TestedPeer.Pattern(100)), Frame.Fin(peer.TheirId(5)), Frame.Rst(peer.TheirId(5)));
            await peer.ExpectAliveAsync();
        }),
        new("tolerate.15", Must, "Unknown flags on a window update are ignored.", "spec: Flag Field", async peer =>
        {
            await peer.SendAsync(Frame.WindowUpdate(peer.OurId(1), 0, FrameFlags.Syn | Unknown));
            var stream = peer.Stream(peer.OurId(1));
            await peer.SendAsync(Frame.WindowUpdate(stream.Id, 10, Unknown));
            await peer.EchoAsync(stream, TestedPeer.Pattern(100));
        }),
        new("tolerate.16", Must, "Unknown flags on Data do not touch the payload.", "spec: Flag Field", async peer =>
        {
            var stream = await peer.OpenAsync();
            await peer.SendAsync(Frame.Data(stream.Id, TestedPeer.Pattern(100), Unknown), Frame.Data(stream.Id, TestedPeer.Pattern(100), FrameFlags.Fin | Unknown));
            await peer.ExpectEchoAndFinAsync(stream);
        }),
        new("tolerate.17", Must, "A ping before the first stream's ACK is answered, and the stream is served.", "go-yamux measures the round trip so", async peer =>
        {
            var id = peer.OurId(1);
            await peer.SendAsync(Frame.Ping(1), Frame.Syn(id), Frame.Ping(2), Frame.Data(id, TestedPeer.Pattern(10)));
            await peer.UntilAsync("two pongs and an echo", () => peer.Pongs == 2 && peer.Stream(id).Received == 10);
        }),
        new("tolerate.18", Must, "A hundred window updates of 0 and empty Data frames are no attack.", "below every limit", OnStream(id =>
            [.. Enumerable.Repeat(Frame.WindowUpdate(id, 0), 100), .. Enumerable.Repeat(Frame.Data(id, default), 100)])),
        new("tolerate.19", Should, "The greatest credit, and a window full of Data, for a stream that is closed are passed over.", "there is nothing left that could overflow",
            OnClosed(id => [Frame.WindowUpdate(id, uint.MaxValue), Frame.WindowUpdate(id, uint.MaxValue), Frame.Data(id, TestedPeer.Pattern((int)Frame.InitialWindow))])),
    ];

    private static Func<TestedPeer, Task> OnStream(Func<uint, Frame[]> frames) => async peer =>
    {
        var stream = await peer.OpenAsync();
        await peer.SendAsync(frames(stream.Id));
        await peer.EchoAsync(stream, TestedPeer.Pattern(100));
        await peer.FinishAsync(stream);
        await peer.ExpectAliveAsync();
    };

    private static Func<TestedPeer, Task> OnClosed(Func<uint, Frame[]> frames) => async peer =>
    {
        var stream = await peer.OpenAsync();
        await peer.EchoAsync(stream, TestedPeer.Pattern(100));
        await peer.FinishAsync(stream);
        await peer.SettleAsync();
        await peer.SendAsync(frames(stream.Id));
        await peer.ExpectNothingAsync(stream, "no answer on a stream that is closed");
        await peer.ExpectAliveAsync();
    };

    private static Func<TestedPeer, Task> OnUnknown(Func<uint, Frame[]> frames) => async peer =>
    {
        await peer.SendAsync(frames(peer.OurId(7)));
        await peer.ExpectAliveAsync();
    };
}
