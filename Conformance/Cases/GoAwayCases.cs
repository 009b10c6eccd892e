using Conformance.Running;
using Conformance.Wire;
using static Conformance.Running.Requirement;

namespace Conformance.Cases;

/// <summary>Going away.</summary>
internal static class GoAwayCases
{
    public static IEnumerable<SpecCase> All { get; } =
    [
        new("goaway.1", Must, "After GoAway code 0 streams that run go on to their end.", "spec: Session termination", async peer =>
        {
            var stream = await peer.OpenAsync();
            await peer.EchoAsync(stream, TestedPeer.Pattern(1000));
            await peer.SendAsync(Frame.GoAway(0));
            await peer.EchoAsync(stream, TestedPeer.Pattern(1 << 20));
            await peer.FinishAsync(stream);
        }),
        new("goaway.2", Must, "Streams that were opened just before GoAway code 0 are served.", "spec: Session termination", async peer =>
        {
            var frames = Enumerable.Range(1, 20).Select(number => Frame.Data(peer.OurId((uint)number), TestedPeer.Pattern(100), FrameFlags.Syn));
            await peer.SendAsync([.. frames, Frame.GoAway(0)]);
            foreach (var stream in peer.Streams)
            {
                await peer.FinishAsync(stream);
            }
        }),
        new("goaway.3", Must, "After GoAway code 0 pings are answered.", "spec: Session termination", async peer =>
        {
            await peer.OpenAsync();
            await peer.SendAsync(Frame.GoAway(0), Frame.Ping(5));
            await peer.UntilAsync("a pong", () => peer.Pongs == 1);
        }),
        new("goaway.4", Must, "GoAway code 0 twice is the same as once.", "spec: Session termination", async peer =>
        {
            var stream = await peer.OpenAsync();
            await peer.SendAsync(Frame.GoAway(0), Frame.GoAway(0));
            await peer.EchoAsync(stream, TestedPeer.Pattern(1000));
        }),
        new("goaway.5", Must, "GoAway code 1, protocol error, ends the session.", "spec: Session termination", peer => EndAsync(peer, 1)),
        new("goaway.6", Must, "GoAway code 2, internal error, ends the session.", "spec: Session termination", peer => EndAsync(peer, 2)),
        new("goaway.7", Should, "GoAway with a code that does not exist ends the session.", "hashicorp/yamux: unexpected go away", peer => EndAsync(peer, 77)),
        new("goaway.8", Must, "GoAway code 0 and the end of the connection end the session.", "hashicorp/yamux: Close", async peer =>
        {
            await peer.FinishAsync(await peer.OpenAsync());
            await peer.SendAsync(Frame.GoAway(0));
            peer.EndSending();
            await peer.ExpectEndAsync();
        }),
        new("goaway.9", Must, "After GoAway code 0 all that waits to be read comes, to the last FIN, however late it is read.", "spec: Session termination", async peer =>
        {
            var streams = await peer.FillUnreadAsync(1, 32);
            await peer.SendAsync([Frame.GoAway(0), .. streams.Select(stream => Frame.Fin(stream.Id))]);
            peer.Connection.ReadSlowly();
            peer.Connection.ResumeReading();
            foreach (var stream in streams)
            {
                await peer.ExpectEchoAndFinAsync(stream);
            }
        }),
        new("goaway.10", Should, "Behind GoAway code 0 and the last FIN, the end of the connection is answered by its end, and not by a reset.", "hashicorp/yamux: Close", async peer =>
        {
            var stream = await peer.OpenAsync();
            await peer.EchoAsync(stream, TestedPeer.Pattern(1 << 20));
            await peer.FinishAsync(stream);
            await peer.SendAsync(Frame.GoAway(0));
            peer.EndSending();
            await peer.ExpectEndInOrderAsync();
        }),
    ];

    private static async Task EndAsync(TestedPeer peer, uint code)
    {
        await peer.OpenAsync();
        await peer.SendAsync(Frame.GoAway(code));
        await peer.ExpectEndAsync();
    }
}
