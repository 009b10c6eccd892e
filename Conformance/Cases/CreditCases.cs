using Conformance.Running;
using Conformance.Wire;
using static Conformance.Running.Requirement;

namespace Conformance.Cases;

/// <summary>
/// Credit that we give. The target must use it to the last byte and not one byte more; that it is never overdrawn is
/// checked in every case.
/// </summary>
internal static class CreditCases
{
    // Twice of what any window grows to.
    private const long LargestWindow = 32 << 20;

    public static IEnumerable<SpecCase> All { get; } =
    [
        new("credit.1", Must, "Without a window update exactly 262144 bytes come.", "spec: Flow Control", async peer =>
            await ExpectStopAsync(peer, await peer.OpenAsync(), Frame.InitialWindow)),
        new("credit.2", Must, "Credit of one byte lets exactly one byte come.", "spec: Flow Control", peer => ExpectMoreAsync(peer, 1)),
        new("credit.3", Must, "Credit of 70,001 bytes lets exactly so many come.", "spec: Flow Control", peer => ExpectMoreAsync(peer, 70_001)),
        new("credit.4", Must, "Credits add up: a delta is no absolute value.", "spec: Flow Control, Length is a delta", peer => ExpectMoreAsync(peer, 100, 200, 1, 50_000)),
        new("credit.5", Must, "Credit may come before it is needed.", "spec: Flow Control", async peer =>
        {
            var stream = await peer.OpenAsync();
            await peer.SendAsync(Frame.WindowUpdate(stream.Id, 5000));
            await ExpectStopAsync(peer, stream, Frame.InitialWindow + 5000);
        }),
        new("credit.6", Must, "The credit of one stream is not used by another.", "spec: Flow Control", async peer =>
        {
            var stalled = await StallAsync(peer);
            var other = await peer.OpenAsync(2);
            await peer.SendAsync(Frame.WindowUpdate(other.Id, 100_000));
            await peer.EchoAsync(other, TestedPeer.Pattern(1000));
            await peer.SettleAsync();
            ExpectReceived(stalled, Frame.InitialWindow);
        }),
        new("credit.7", Must, "Credit up to 4294967295 bytes, no more, is legal.", "spec: Flow Control", async peer =>
        {
            var stream = await peer.OpenAsync();
            await peer.SendAsync(Frame.WindowUpdate(stream.Id, uint.MaxValue - Frame.InitialWindow));
            stream.GrantsCredit = false;
            await peer.EchoAsync(stream, TestedPeer.Pattern(1 << 20));
            await peer.ExpectAliveAsync();
        }),
        Overflow("credit.8", "Credit that overflows 4294967295 bytes", (peer, stream) => peer.SendAsync(Frame.WindowUpdate(stream.Id, uint.MaxValue))),
        Overflow("credit.9", "Credit that overflows by one byte, in two steps,", (peer, stream) => peer.SendAsync(
            Frame.WindowUpdate(stream.Id, 0x80000000), Frame.WindowUpdate(stream.Id, 0x80000000 - Frame.InitialWindow))),
        Overflow("credit.10", "Credit that overflows, on a frame with ACK,", (peer, stream) => peer.SendAsync(Frame.WindowUpdate(stream.Id, uint.MaxValue, FrameFlags.Ack))),
        Overflow("credit.11", "Credit that overflows, on a frame with FIN,", (peer, stream) => peer.SendAsync(Frame.WindowUpdate(stream.Id, uint.MaxValue, FrameFlags.Fin))),
        ProtocolError.Case("credit.12", "Credit that overflows, on the SYN,", "CVE-2026-31814 (rust-yamux), the path that its first fix missed",
            peer => peer.SendAsync(Frame.Syn(peer.OurId(1), uint.MaxValue - Frame.InitialWindow + 1))),
        new("credit.13", Must, "What is sent within the window is taken, though none of it can be echoed yet.", "spec: Flow Control", async peer =>
        {
            var stream = await StallAsync(peer);
            await SpendAsync(peer, stream);
            await peer.SendAsync(Frame.WindowUpdate(stream.Id, 16 << 20));
            await peer.ExpectEchoAsync(stream);
        }),
        ProtocolError.Case("credit.14", "A payload one byte longer than the window", "spec: Flow Control", async peer =>
        {
            var stream = await peer.EstablishAsync();
            await peer.SettleAsync();
            await peer.SendAsync(Frame.Data(stream.Id, TestedPeer.Pattern((int)stream.SendCredit + 1)));
        }),
        ProtocolError.Case("credit.15", "One byte more than what remains of the window", "spec: Flow Control; hashicorp/yamux: ErrRecvWindowExceeded", async peer =>
        {
            var stream = await StallAsync(peer);
            await SpendAsync(peer, stream);
            await peer.SendAsync(Frame.Data(stream.Id, TestedPeer.Pattern(1)));
        }),
        ProtocolError.Case("credit.16", "Data with SYN that is longer than the window", "CVE-2026-32314 (rust-yamux)",
            peer => peer.SendAsync(Frame.Data(peer.OurId(1), TestedPeer.Pattern((int)Frame.InitialWindow + 1), FrameFlags.Syn))),
        new("credit.17", Must, "What is consumed is granted again: 64 windows pass through one stream.", "spec: Flow Control", async peer =>
            await peer.EchoAsync(await peer.OpenAsync(), TestedPeer.Pattern(64 * (int)Frame.InitialWindow), frameSize: 64 * 1024)),
        new("credit.18", Should, "When all is consumed, at least half of the window is open.", "hashicorp/yamux grants at half a window", async peer =>
        {
            var stream = await peer.EstablishAsync();
            var window = stream.HighestSendCredit;
            foreach (var size in new[] { 100_000, 300_000, 1, 131_071, 131_072, 500_000 })
            {
                await peer.EchoAsync(stream, TestedPeer.Pattern(size));
                await peer.SettleAsync();
                if (stream.SendCredit < window / 2)
                {
                    throw new SpecFailedException($"credit of at least {window / 2}", $"{stream.SendCredit}");
                }
            }
        }),
        new("credit.19", May, "The window may grow with use, and not beyond 16 MiB.", "hashicorp/yamux: fixed windows; libp2p: grow to 16 MiB", async peer =>
        {
            var stream = await peer.OpenAsync();
            await peer.EchoAsync(stream, TestedPeer.Pattern(40 << 20), frameSize: 64 * 1024);
            if (stream.HighestSendCredit > LargestWindow / 2)
            {
                throw new SpecFailedException($"credit of at most {LargestWindow / 2}", $"{stream.HighestSendCredit}");
            }
        }),
        new("credit.20", Should, "Credit comes in few frames: 10,000 payloads of one byte cause at most 100.", "a frame of credit for each byte is twelve times the traffic", async peer =>
        {
            var stream = await peer.OpenAsync();
            var data = TestedPeer.Pattern(10_000);
            await peer.SendAsync([.. Enumerable.Range(0, data.Length).Select(at => Frame.Data(stream.Id, data.AsMemory(at, 1)))]);
            await peer.ExpectEchoAsync(stream);
            await peer.SettleAsync();
            if (stream.WindowUpdates > 100)
            {
                throw new SpecFailedException("at most 100 window updates", $"{stream.WindowUpdates}");
            }
        }),
        new("credit.21", Should, "No credit is granted after our FIN.", "it has no use, and upsets some peers", async peer =>
        {
            // Our FIN is there before the echo can move, so that all that is consumed is consumed after it.
            var stream = await StallAsync(peer);
            await SpendAsync(peer, stream);
            await peer.SendAsync(Frame.Fin(stream.Id));
            await peer.SettleAsync();
            var before = stream.WindowUpdates;
            await peer.SendAsync(Frame.WindowUpdate(stream.Id, 16 << 20));
            await peer.ExpectEchoAndFinAsync(stream);
            if (stream.WindowUpdates > before)
            {
                throw new SpecFailedException("no window update after our FIN", $"{stream.WindowUpdates - before}");
            }
        }),
        new("credit.22", Must, "Credit on a window update with ACK counts.", "spec: Flow Control", async peer =>
        {
            var stream = await StallAsync(peer);
            await peer.SendAsync(Frame.WindowUpdate(stream.Id, 500, FrameFlags.Ack));
            await peer.UntilAsync("500 bytes more", () => stream.Received == Frame.InitialWindow + 500);
        }),
        new("credit.23", Must, "Credit on a window update with FIN counts.", "spec: Flow Control", async peer =>
        {
            var stream = await StallAsync(peer);
            await peer.SendAsync(Frame.WindowUpdate(stream.Id, Frame.InitialWindow, FrameFlags.Fin));
            await peer.ExpectEchoAndFinAsync(stream);
        }),
        ProtocolError.Case("credit.24", "Data with FIN that is longer than the window", "spec: Flow Control", async peer =>
        {
            var stream = await peer.EstablishAsync();
            await peer.SettleAsync();
            await peer.SendAsync(Frame.Data(stream.Id, TestedPeer.Pattern((int)stream.SendCredit + 1), FrameFlags.Fin));
        }),
        new("credit.25", Must, "Credit ends when nothing is read any more: a stalled echo takes at most 32 MiB.", "spec: Flow Control", async peer =>
            await SpendAsync(peer, await StallAsync(peer))),
    ];

    /// <summary>A stream whose echo has used all our credit, and waits for more.</summary>
    public static async Task<TestedStream> StallAsync(TestedPeer peer, uint number = 1)
    {
        var stream = await peer.OpenAsync(number);
        await ExpectStopAsync(peer, stream, Frame.InitialWindow);
        return stream;
    }

    /// <summary>The echo comes to <paramref name="limit"/> bytes, though more were sent, and stops there.</summary>
    public static async Task ExpectStopAsync(TestedPeer peer, TestedStream stream, long limit)
    {
        stream.GrantsCredit = false;
        var data = TestedPeer.Pattern((int)(limit - stream.Sent) + 1000);
        for (var at = 0; at < data.Length;)
        {
            await peer.UntilAsync($"credit for stream {stream.Id}", () => stream.SendCredit > 0);
            var size = (int)Math.Min(Math.Min(data.Length - at, 32 * 1024), stream.SendCredit);
            await peer.SendAsync(Frame.Data(stream.Id, data.AsMemory(at, size)));
            at += size;
        }

        await peer.UntilAsync($"{limit} bytes on stream {stream.Id}, as there is credit for", () => stream.Received == limit);
        await peer.SettleAsync();
        ExpectReceived(stream, limit);
    }

    /// <summary>Sends what the target has granted, to the last byte, while its echo is stalled.</summary>
    public static async Task SpendAsync(TestedPeer peer, TestedStream stream)
    {
        while (stream.SendCredit > 0)
        {
            if (stream.Sent - stream.Received > LargestWindow)
            {
                throw new SpecFailedException($"an end to the credit for what cannot be echoed, after {LargestWindow} bytes", $"credit for {stream.SendCredit} more");
            }

            await peer.SendAsync(Frame.Data(stream.Id, TestedPeer.Pattern((int)Math.Min(stream.SendCredit, 64 * 1024), (int)stream.Sent)));
            if (stream.SendCredit == 0)
            {
                await peer.SettleAsync();
            }
        }
    }

    private static async Task ExpectMoreAsync(TestedPeer peer, params uint[] deltas)
    {
        var stream = await peer.OpenAsync();
        await ExpectStopAsync(peer, stream, Frame.InitialWindow);
        await peer.SendAsync([.. deltas.Select(delta => Frame.WindowUpdate(stream.Id, delta))]);
        await ExpectStopAsync(peer, stream, Frame.InitialWindow + deltas.Sum(delta => delta));
    }

    private static void ExpectReceived(TestedStream stream, long limit)
    {
        if (stream.Received != limit)
        {
            throw new SpecFailedException($"{limit} bytes on stream {stream.Id}, and no more without credit", $"{stream.Received} bytes");
        }
    }

    private static SpecCase Overflow(string id, string what, Func<TestedPeer, TestedStream, Task> provoke)
        => ProtocolError.Case(id, what, "CVE-2026-31814 (rust-yamux)", async peer => await provoke(peer, await peer.OpenAsync()));
}
