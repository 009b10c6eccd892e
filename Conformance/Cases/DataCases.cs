using System.Buffers.Binary;
using Conformance.Running;
using Conformance.Wire;
using static Conformance.Running.Requirement;

namespace Conformance.Cases;

/// <summary>Bytes go in and come out, the same and in order. Each echoed byte is compared, in every case.</summary>
internal static class DataCases
{
    public static IEnumerable<SpecCase> All { get; } =
    [
        new("data.1", Must, "One byte comes back.", "spec: Type Field", async peer => await peer.EchoAsync(await peer.OpenAsync(), TestedPeer.Pattern(1))),
        new("data.2", Must, "Payloads of every size around powers of two come back.", "spec: Length Field", async peer =>
        {
            var stream = await peer.OpenAsync();
            for (var power = 1; power <= 65536; power *= 2)
            {
                foreach (var size in new[] { power - 1, power, power + 1 })
                {
                    await peer.EchoAsync(stream, TestedPeer.Pattern(size, power), frameSize: 1 << 20);
                }
            }
        }),
        new("data.3", Must, "4 MiB come back, through many windows.", "spec: Flow Control", async peer =>
        {
            var stream = await peer.OpenAsync();
            await peer.EchoAsync(stream, TestedPeer.Pattern(4 << 20));
            await peer.FinishAsync(stream);
        }),
        new("data.4", Must, "10,000 frames of one byte come back.", "spec: Length Field", async peer =>
        {
            var stream = await peer.OpenAsync();
            var data = TestedPeer.Pattern(10_000);
            await peer.SendAsync([.. Enumerable.Range(0, data.Length).Select(at => Frame.Data(stream.Id, data.AsMemory(at, 1)))]);
            await peer.ExpectEchoAsync(stream);
        }),
        new("data.5", Must, "Data frames without payload between others change nothing.", "spec: Length Field", async peer =>
        {
            var stream = await peer.OpenAsync();
            for (var round = 0; round < 100; round++)
            {
                await peer.SendAsync(Frame.Data(stream.Id, TestedPeer.Pattern(7)), Frame.Data(stream.Id, default));
            }

            await peer.ExpectEchoAsync(stream);
        }),
        new("data.6", Must, "Interleaved frames of 20 streams are told apart.", "spec: StreamID Field", InterleaveAsync),
        new("data.7", Must, "A frame that fills the whole window is taken.", "hashicorp/yamux sends such frames", async peer =>
        {
            var stream = await peer.OpenAsync();
            await peer.EchoAsync(stream, TestedPeer.Pattern((int)Frame.InitialWindow), frameSize: (int)Frame.InitialWindow);
        }),
        new SpecCase("data.8", Should, "A payload is delivered in the pieces in which it arrives.", "a whole window in one frame, over a slow link", DeliverPiecesAsync)
            .In(Profile.Hashicorp, "A payload that arrives in pieces is delivered, at the latest when it is complete.", DeliverCompleteAsync)
            .In(Profile.Libp2p, "A payload that arrives in pieces is delivered, at the latest when it is complete.", DeliverCompleteAsync),
        new("data.9", Must, "No frame is longer than 1 MiB.", "rust-yamux refuses longer ones", peer => MeasureFramesAsync(peer, 1 << 20)),
        new("data.10", Should, "Frames are at most 64 KiB long, so that streams take turns.", "fairness between streams", peer => MeasureFramesAsync(peer, 64 * 1024)),
        new("data.11", Must, "A stream that gets no credit does not hold up another.", "spec: Flow Control", async peer =>
        {
            var stalled = await CreditCases.StallAsync(peer);
            await peer.EchoAsync(await peer.OpenAsync(2), TestedPeer.Pattern(1 << 20));
            if (stalled.FinReceived)
            {
                throw new SpecFailedException("the stalled stream is still open", "FIN");
            }
        }),
        new("data.12", Must, "A stalled stream goes on when it gets credit.", "spec: Flow Control", async peer =>
        {
            var stream = await CreditCases.StallAsync(peer);
            stream.GrantsCredit = true;
            await peer.SendAsync(Frame.WindowUpdate(stream.Id, Frame.InitialWindow));
            await peer.ExpectEchoAsync(stream);
            await peer.FinishAsync(stream);
        }),
        new("data.13", Must, "Writing all before reading anything does not lock both sides up.", "hashicorp/yamux#9: a read loop that waits for the writer", async peer =>
        {
            // Enough on 64 streams to fill the sockets' buffers in both directions.
            peer.Connection.PauseReading();
            var data = TestedPeer.Pattern((int)Frame.InitialWindow);
            for (var number = 1u; number <= 64; number++)
            {
                await peer.SendAsync(Frame.Syn(peer.OurId(number)), Frame.Data(peer.OurId(number), data));
            }

            peer.Connection.ResumeReading();
            foreach (var stream in peer.Streams)
            {
                await peer.ExpectEchoAsync(stream);
            }
        }),
    ];

    private static async Task InterleaveAsync(TestedPeer peer)
    {
        for (var number = 1u; number <= 20; number++)
        {
            await peer.OpenAsync(number);
        }

        for (var round = 0; round < 50; round++)
        {
            var frames = peer.Streams.Select(stream =>
            {
                var payload = new byte[8];
                BinaryPrimitives.WriteUInt32BigEndian(payload, stream.Id);
                BinaryPrimitives.WriteInt32BigEndian(payload.AsSpan(4), round);
                return Frame.Data(stream.Id, payload);
            });
            await peer.SendAsync([.. frames]);
        }

        foreach (var stream in peer.Streams)
        {
            await peer.FinishAsync(stream);
        }
    }

    private static async Task DeliverPiecesAsync(TestedPeer peer)
    {
        var stream = await peer.OpenAsync();
        var payload = TestedPeer.Pattern(100_000);
        await peer.SendAsync(Frame.DataHeader(stream.Id, (uint)payload.Length));
        await peer.SendPayloadAsync(stream, payload.AsMemory(0, 40_000));
        await peer.UntilAsync("the echo of the 40,000 bytes that have come of a payload of 100,000", () => stream.Received == 40_000);
        await peer.SendPayloadAsync(stream, payload.AsMemory(40_000));
        await peer.ExpectEchoAsync(stream);
    }

    private static async Task DeliverCompleteAsync(TestedPeer peer)
    {
        var stream = await peer.OpenAsync();
        var payload = TestedPeer.Pattern(100_000);
        await peer.SendAsync(Frame.DataHeader(stream.Id, (uint)payload.Length));
        await peer.SendPayloadAsync(stream, payload.AsMemory(0, 40_000));
        await peer.SendPayloadAsync(stream, payload.AsMemory(40_000));
        await peer.ExpectEchoAsync(stream);
    }

    private static async Task MeasureFramesAsync(TestedPeer peer, long longest)
    {
        // A window full of data waits for credit that is more than enough: the target may send as long a frame as it likes.
        var stream = await CreditCases.StallAsync(peer);
        await CreditCases.SpendAsync(peer, stream);
        await peer.SendAsync(Frame.WindowUpdate(stream.Id, 64 << 20));
        await peer.ExpectEchoAsync(stream);
        await peer.EchoAsync(stream, TestedPeer.Pattern(4 << 20), frameSize: (int)Frame.InitialWindow);
        if (stream.LongestFrame > longest)
        {
            throw new SpecFailedException($"Data frames of at most {longest} bytes", $"one of {stream.LongestFrame} bytes");
        }
    }
}
