using Conformance.Running;
using Conformance.Wire;
using static Conformance.Running.Requirement;

namespace Conformance.Cases;

/// <summary>How streams are acknowledged. That there is never a second ACK is checked in every case.</summary>
internal static class AckCases
{
    public static IEnumerable<SpecCase> All { get; } =
    [
        new SpecCase("ack.1", Must, "A stream is acknowledged without a byte of data.", "spec: Opening a stream", async peer =>
        {
            var stream = await peer.OpenAsync();
            await peer.UntilAsync("ACK", () => stream.Acknowledged);
        }).In(Profile.Libp2p, "A stream is acknowledged at the latest by its first data.", async peer => Require(await peer.EstablishAsync())),
        new("ack.2", Must, "A stream is acknowledged also when its FIN has come already.", "hashicorp/yamux#29: else the opener's slot leaks", async peer =>
        {
            var id = peer.OurId(1);
            await peer.SendAsync(Frame.Syn(id), Frame.Fin(id));
            await peer.UntilAsync("ACK and FIN", () => peer.Stream(id) is { Acknowledged: true, FinReceived: true });
        }),
        new("ack.3", Must, "A stream is acknowledged also when its SYN and FIN are one frame.", "spec: Flag Field", async peer =>
        {
            await peer.SendAsync(Frame.WindowUpdate(peer.OurId(1), 0, FrameFlags.Syn | FrameFlags.Fin));
            await peer.UntilAsync("ACK and FIN", () => peer.Stream(peer.OurId(1)) is { Acknowledged: true, FinReceived: true });
        }),
        new("ack.4", Must, "The ACK is never repeated on later frames.", "hashicorp/yamux: a second ACK frees a slot twice", async peer =>
        {
            var stream = await peer.EstablishAsync();
            for (var round = 0; round < 50; round++)
            {
                await peer.EchoAsync(stream, TestedPeer.Pattern(10_000));
            }

            await peer.FinishAsync(stream);
            await peer.SettleAsync();
        }),
        new SpecCase("ack.5", Must, "Each of 100 streams gets its own ACK.", "hashicorp/yamux: after 75 s without one it ends the session", async peer =>
        {
            await peer.SendAsync([.. Enumerable.Range(1, 100).Select(number => Frame.Syn(peer.OurId((uint)number)))]);
            await peer.UntilAsync("100 ACKs", () => peer.Streams.All(stream => stream.Acknowledged));
        }).In(Profile.Libp2p, "Each of 100 streams gets its own ACK, at the latest with its first data.", async peer =>
        {
            for (var number = 1u; number <= 100; number++)
            {
                Require(await peer.EstablishAsync(number));
            }
        }),
        new("ack.6", Should, "What the window has beyond 262144 bytes is granted with the ACK, in one window update.", "hashicorp/yamux: sendWindowUpdate", async peer =>
        {
            var stream = await peer.EstablishAsync();
            if (stream.AckDelta is null || stream.WindowUpdates > 0)
            {
                throw new SpecFailedException("all credit in the window update that has the ACK", stream.AckDelta is null ? "ACK on Data" : "another window update");
            }
        }),
    ];

    private static void Require(TestedStream stream)
    {
        if (!stream.Acknowledged)
        {
            throw new SpecFailedException($"ACK for stream {stream.Id}, with its first data at the latest", "data without ACK");
        }
    }
}
