using Conformance.Running;
using Conformance.Wire;
using static Conformance.Running.Requirement;

namespace Conformance.Cases;

/// <summary>Pings. That a pong has the value of a ping and exactly the flag ACK, and that none comes twice, is checked in every case.</summary>
internal static class PingCases
{
    public static IEnumerable<SpecCase> All { get; } =
    [
        new("ping.1", Must, "A ping is answered, with its value.", "spec: Ping", peer => PingAsync(peer, 12345)),
        new("ping.2", Must, "Values 0 and 4294967295 come back too.", "spec: Ping, an opaque value", peer => PingAsync(peer, 0, uint.MaxValue, 1, 0x80000000)),
        new("ping.3", Must, "A ping is answered before any stream was opened, and after all were closed.", "spec: Ping", async peer =>
        {
            await PingAsync(peer, 1);
            await peer.FinishAsync(await peer.OpenAsync());
            await peer.SendAsync(Frame.Ping(2));
            await peer.UntilAsync("a second pong", () => peer.Pongs == 2);
        }),
        new("ping.4", Must, "Each of 500 pings is answered.", "spec: Ping", peer => PingAsync(peer, [.. Enumerable.Range(1, 500).Select(value => (uint)value)])),
        new("ping.5", Must, "The same value may be sent twice, and is answered twice.", "spec: Ping, an opaque value", peer => PingAsync(peer, 7, 7)),
        new("ping.6", Must, "A ping is answered while a stream is stalled.", "spec: Ping", async peer =>
        {
            await CreditCases.StallAsync(peer);
            await peer.SettleAsync();
        }),
        new("ping.7", Must, "A pong that nobody asked for is passed over.", "spec: Ping", async peer =>
        {
            await peer.SendAsync(Frame.Pong(99), Frame.Pong(100));
            await peer.ExpectAliveAsync();
        }),
        new SpecCase("ping.8", May, "A ping with both SYN and ACK is passed over.", "spec: Flag Field", peer => PassOverAsync(peer, FrameFlags.Syn | FrameFlags.Ack))
            .In(Profile.Hashicorp, "A ping with both SYN and ACK is a ping.", TakeAsPingAsync)
            .In(Profile.Libp2p, "A ping with both SYN and ACK is a ping.", TakeAsPingAsync),
        new("ping.9", May, "A ping with neither SYN nor ACK is passed over.", "spec: Flag Field", peer => PassOverAsync(peer, FrameFlags.None)),
        new("ping.10", Must, "A ping between the frames of a stream does not disturb it.", "spec: Ping", async peer =>
        {
            var stream = await peer.OpenAsync();
            for (var round = 1u; round <= 100; round++)
            {
                await peer.SendAsync(Frame.Data(stream.Id, TestedPeer.Pattern(100)), Frame.Ping(round));
            }

            await peer.FinishAsync(stream);
            await peer.UntilAsync("100 pongs", () => peer.Pongs == 100);
        }),
        new("ping.11", Should, "A ping is answered before 1 MiB more of bulk has come, to a peer that reads slowly.", "hashicorp/yamux: a keepalive's answer has 10 s", async peer =>
        {
            const long Limit = 1 << 20;
            var streams = await peer.FillUnreadAsync(1, 64);
            peer.Connection.ReadSlowly();
            peer.Connection.ResumeReading();

            // What is left of the echo, most of 16 MiB, is more than the system's buffers hold.
            await peer.UntilAsync("the beginning of the echo", () => Received() >= Limit / 2);
            var before = Received();
            await peer.SendAsync(Frame.Ping(1));
            await peer.UntilAsync("a pong", () => peer.Pongs == 1);
            if (Received() - before > Limit)
            {
                throw new SpecFailedException($"a pong before {Limit} bytes more", $"{Received() - before} bytes before it");
            }

            long Received() => streams.Sum(stream => stream.Received);
        }),
    ];

    private static async Task PingAsync(TestedPeer peer, params uint[] values)
    {
        await peer.SendAsync([.. values.Select(value => Frame.Ping(value))]);
        await peer.UntilAsync($"{values.Length} pongs", () => peer.Pongs == values.Length);
        await peer.SettleAsync();
    }

    private static async Task PassOverAsync(TestedPeer peer, FrameFlags flags)
    {
        await peer.SendAsync(Frame.Ping(99, flags));
        await peer.ExpectAliveAsync();
    }

    private static async Task TakeAsPingAsync(TestedPeer peer)
    {
        peer.AllowPong(99);
        await peer.SendAsync(Frame.Ping(99, FrameFlags.Syn | FrameFlags.Ack));
        await peer.UntilAsync("a pong", () => peer.Pongs == 1);
        await peer.ExpectAliveAsync();
    }
}
