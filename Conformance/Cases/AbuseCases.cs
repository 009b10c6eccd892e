using Conformance.Running;
using Conformance.Wire;
using static Conformance.Running.Requirement;

namespace Conformance.Cases;

/// <summary>What a hostile peer does, and the limits that an implementation cannot do without.</summary>
internal static class AbuseCases
{
    private const int Flood = 2_000_000;

    public static IEnumerable<SpecCase> All { get; } =
    [
        new("abuse.4", Must, "300 streams that are opened and reset at once are no attack.", "calls that are cancelled", async peer =>
        {
            await SynAndRstAsync(peer, 300);
            await peer.ExpectAliveAsync();
        }),
        Idle("abuse.5", "window updates of 0", id => Frame.WindowUpdate(id, 0)),
        Idle("abuse.6", "Data frames without payload", id => Frame.Data(id, default)),
        new SpecCase("abuse.7", Should, "The number of streams open at once is limited: of 2,000 some are refused with RST.", "go-yamux: MaxIncomingStreams", LimitStreamsAsync)
            .In(Profile.Hashicorp, "2,000 streams may be open at once.", async peer =>
            {
                await OpenManyAsync(peer, 2000);
                await FinishOneAsync(peer);
            }),
        new("abuse.8", Must, "Each of 1,200 streams that are opened in one burst is served or refused with RST.", "a stream that is neither served nor refused hangs its opener", async peer =>
        {
            await peer.SendAsync([.. Enumerable.Range(1, 1200).Select(number => Frame.Data(peer.OurId((uint)number), TestedPeer.Pattern(1), FrameFlags.Syn))]);
            await peer.UntilAsync("1,200 answers", () => peer.Streams.All(stream => stream.Received > 0 || stream.RstReceived));
            await FinishOneAsync(peer);
        }),
        new("abuse.9", Must, "30 streams that are stalled, each with a full window, leave the session working.", "spec: Flow Control", async peer =>
        {
            for (var number = 1u; number <= 30; number++)
            {
                await CreditCases.SpendAsync(peer, await CreditCases.StallAsync(peer, number));
            }

            await peer.ExpectAliveAsync();
        }),
        ProtocolError.Case("abuse.10", "A window filled with frames of one byte, and one more,", "memory for each frame instead of for each byte", async peer =>
        {
            var stream = await CreditCases.StallAsync(peer);
            while (stream.SendCredit > 0)
            {
                await peer.SendAsync([.. Enumerable.Range(0, (int)Math.Min(stream.SendCredit, 20_000)).Select(at => Frame.Data(stream.Id, TestedPeer.Pattern(1, at)))]);
                await peer.SettleAsync();
            }

            await peer.SendAsync(Frame.Data(stream.Id, TestedPeer.Pattern(1)));
        }),
        new("abuse.11", Should, "Data for a stream that is closed is passed over a thousand times, and never answered.", "an answer for each would be an amplifier", async peer =>
        {
            var stream = await peer.OpenAsync();
            await peer.FinishAsync(stream);
            await peer.SettleAsync();
            for (var round = 0; round < 1000; round++)
            {
                await peer.SendAsync(Frame.Data(stream.Id, TestedPeer.Pattern(5000)));
            }

            await peer.ExpectNothingAsync(stream, "no answer on a stream that is closed");
            await peer.ExpectAliveAsync();
        }),
        new("abuse.12", Should, "The windows that 500 streams have from the start exceed 262144 bytes by at most 64 MiB together.", "a window for each stream and none for the session", async peer =>
        {
            await OpenManyAsync(peer, 500);
            var growth = peer.Streams.Sum(stream => stream.HighestSendCredit - Frame.InitialWindow);
            if (growth > 64 << 20)
            {
                throw new SpecFailedException("at most 67108864 bytes beyond the initial windows", $"{growth}");
            }
        }),
        new("abuse.15", Must, "Each of 20,000 streams whose ids lie 200,000 apart, opened and ended at once, is ended or refused, and the session goes on.", "work that grows with the ids, and not with the streams", async peer =>
        {
            const uint Jump = 100_000;
            for (var opened = 0u; opened < 20_000; opened += 100)
            {
                var ids = Enumerable.Range((int)opened, 100).Select(index => peer.OurId(((uint)index + 1) * Jump)).ToArray();
                await peer.SendAsync([.. ids.SelectMany(id => new[] { Frame.Syn(id), Frame.Fin(id) })]);
                var streams = ids.Select(peer.Stream).ToArray();
                await peer.UntilAsync("FIN or RST for each of 100 streams", () => streams.All(stream => stream.FinReceived || stream.RstReceived));
            }

            await peer.ExpectAliveAsync((20_000 * Jump) + 1);
        }),
        new SpecCase("abuse.13", Must, "A peer that takes no byte of the target's output for 20 s is given up.", "hashicorp/yamux: ConnectionWriteTimeout is 10 s", NeverReadAsync) { IsSlow = true },
        new SpecCase("abuse.14", Should, "A peer that falls silent within a header is given up within a minute.", "hashicorp/yamux: keepalive after 30 s, and 10 s for its answer", async peer =>
        {
            await peer.OpenAsync();
            peer.AnswersPings = false;
            await peer.SendRawAsync(Frame.Ping(1).ToBytes().AsMemory(0, 6), "6 bytes of a header, and then silence");
            await peer.ExpectEndAsync(TimeSpan.FromSeconds(60));
        }) { IsSlow = true },

        // Heavy, the lightest first: while a target digests what one has left, it is late for the next.
        new SpecCase("abuse.3", Should, "20,000 streams that are opened and reset at once end the session, with GoAway code 1.", "rapid reset, CVE-2023-44487 (HTTP/2)", async peer =>
        {
            await SynAndRstAsync(peer, 20_000);
            await peer.ExpectProtocolErrorAsync();
        }).In(Profile.Hashicorp, "20,000 streams that are opened and reset at once do no harm.", BearResetsAsync)
            .In(Profile.Libp2p, "20,000 streams that are opened and reset at once do no harm.", BearResetsAsync) with { IsHeavy = true },
        new SpecCase("abuse.1", Must, "Answers to pings do not pile up without bound for a peer that does not read them.", "CVE-2024-32984 (rust-yamux)",
            peer => FloodUnreadAsync(peer, "pings", index => Frame.Ping(index))) { IsHeavy = true },
        new SpecCase("abuse.2", Must, "Answers to SYNs do not pile up without bound for a peer that does not read them.", "CVE-2024-32984 (rust-yamux)",
            peer => FloodUnreadAsync(peer, "SYNs", index => Frame.Syn(peer.OurId(index + 1)))) { IsHeavy = true },
    ];

    // What the buffers of two sockets hold is less than half of the answers. The target must end the session, drop answers or
    // stop reading; either bounds what it queues. And it must live.
    private static async Task FloodUnreadAsync(TestedPeer peer, string what, Func<uint, Frame> frame)
    {
        const int Batch = 4096;
        peer.Connection.PauseReading();
        peer.Connection.Transcript.Sent($"up to {Flood:N0} {what}, reading nothing");
        var bytes = new byte[Batch * Frame.HeaderSize];
        var sent = 0u;
        for (var takes = true; takes && sent < Flood; sent += Batch)
        {
            for (var index = 0u; index < Batch; index++)
            {
                frame(sent + index).ToBytes().CopyTo(bytes, index * Frame.HeaderSize);
            }

            takes = await peer.TrySendWithinAsync(bytes, peer.Timeout);
        }

        if (sent >= Flood)
        {
            // Longer than hashicorp/yamux lets a frame wait: a bound in time is one as well.
            peer.Connection.Transcript.Note("12 s in which nothing is read");
            await Task.Delay(TimeSpan.FromSeconds(12));
            var answered = await peer.CountUncheckedAsync(Flood / 2, peer.Timeout);
            if (answered >= Flood / 2)
            {
                throw new SpecFailedException($"at most {Flood / 2:N0} answers to {Flood:N0} {what}, while nobody reads them", $"{answered:N0} that had been kept, or more");
            }
        }

        await peer.ReconnectAsync();
        await peer.ExpectAliveAsync();
    }

    private static async Task SynAndRstAsync(TestedPeer peer, int count)
    {
        var frames = new List<Frame>();
        for (var number = 1u; number <= count; number++)
        {
            frames.AddRange([Frame.Syn(peer.OurId(number)), Frame.Rst(peer.OurId(number))]);
        }

        await peer.SendAsync([.. frames]);
    }

    private static async Task BearResetsAsync(TestedPeer peer)
    {
        await SynAndRstAsync(peer, 20_000);
        await peer.ExpectAliveAsync(30_000);
    }

    private static SpecCase Idle(string id, string what, Func<uint, Frame> frame)
    {
        return new SpecCase(id, Should, $"20,000 {what} in a burst end the session, with GoAway code 1.", "frames that cost time and change nothing", async peer =>
        {
            await SendAsync(peer);
            await peer.ExpectProtocolErrorAsync();
        }).In(Profile.Hashicorp, $"20,000 {what} in a burst do no harm.", BearAsync)
            .In(Profile.Libp2p, $"20,000 {what} in a burst do no harm.", BearAsync);

        async Task SendAsync(TestedPeer peer)
        {
            var stream = await peer.OpenAsync();
            await peer.SendAsync([.. Enumerable.Repeat(frame(stream.Id), 20_000)]);
        }

        async Task BearAsync(TestedPeer peer)
        {
            await SendAsync(peer);
            await peer.ExpectAliveAsync();
        }
    }

    private static async Task OpenManyAsync(TestedPeer peer, uint count)
    {
        // In portions, so that no accept backlog is the limit.
        for (var number = 1u; number <= count;)
        {
            var frames = new List<Frame>();
            for (var portion = 0; portion < 100 && number <= count; portion++)
            {
                frames.AddRange([Frame.Syn(peer.OurId(number)), Frame.Data(peer.OurId(number), TestedPeer.Pattern(1))]);
                number++;
            }

            await peer.SendAsync([.. frames]);
            await peer.UntilAsync("an echo or RST for each stream", () => peer.Streams.All(stream => stream.Received > 0 || stream.RstReceived));
        }
    }

    private static async Task LimitStreamsAsync(TestedPeer peer)
    {
        await OpenManyAsync(peer, 2000);
        var refused = peer.Streams.Count(stream => stream.IsRefused);
        if (refused == 0)
        {
            throw new SpecFailedException("RST for some of 2,000 streams", "ACK for all of them");
        }

        // What one stream leaves, another may take.
        await FinishOneAsync(peer);
        await peer.ExpectAliveAsync(3000);
    }

    private static Task FinishOneAsync(TestedPeer peer)
        => peer.Streams.FirstOrDefault(stream => !stream.RstReceived) is { } served
            ? peer.FinishAsync(served)
            : throw new SpecFailedException("some streams that are served", "RST for all of them");

    private static async Task NeverReadAsync(TestedPeer peer)
    {
        // More than the buffers of both sockets hold.
        peer.Connection.PauseReading();
        for (var number = 1u; number <= 100; number++)
        {
            await peer.SendAsync(Frame.Syn(peer.OurId(number)), Frame.Data(peer.OurId(number), TestedPeer.Pattern((int)Frame.InitialWindow)));
        }

        peer.Connection.Transcript.Note("20 s in which nothing is read");
        await Task.Delay(TimeSpan.FromSeconds(20));
        peer.Connection.ResumeReading();
        await peer.ExpectEndAsync();
    }
}
