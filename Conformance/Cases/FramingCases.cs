using Conformance.Running;
using Conformance.Wire;
using static Conformance.Running.Requirement;

namespace Conformance.Cases;

/// <summary>Headers, and what is none.</summary>
internal static class FramingCases
{
    public static IEnumerable<SpecCase> All { get; } =
    [
        new("framing.1", Must, "Frames that arrive byte by byte are understood.", "spec: Framing", ByteByByteAsync),
        new("framing.2", Must, "Many frames that arrive together are understood.", "spec: Framing", TogetherAsync),
        new("framing.3", Must, "All fields are big endian.", "spec: Framing", async peer =>
        {
            // The pong shows the length field; the stream's id and the payload's length follow from the echo.
            await peer.SendAsync(Frame.Ping(0x01020304));
            await peer.UntilAsync("a pong with value 16909060", () => peer.Pongs == 1);
            await peer.EchoAsync(await peer.OpenAsync(0x0102), TestedPeer.Pattern(0x0102));
        }),
        ProtocolError.Case("framing.4", "A version other than 0", "spec: Version Field", peer => peer.SendAsync(Frame.Ping(1) with { Version = 1 })),
        ProtocolError.Case("framing.5", "Version 255 in a frame of a stream", "spec: Version Field",
            peer => peer.SendAsync(Frame.Syn(peer.OurId(1)) with { Version = 255 })),
        ProtocolError.Case("framing.6", "An unknown type", "spec: Type Field",
            peer => peer.SendAsync(new Frame((FrameType)4, FrameFlags.None, 0, 0))),
        ProtocolError.Case("framing.7", "Type 255 on a stream", "spec: Type Field",
            peer => peer.SendAsync(new Frame((FrameType)255, FrameFlags.Syn, peer.OurId(1), 0))),
        ProtocolError.Case("framing.8", "Data on stream 0", "spec: StreamID Field", peer => peer.SendAsync(Frame.Data(0, TestedPeer.Pattern(10)))),
        ProtocolError.Case("framing.9", "A window update on stream 0", "spec: StreamID Field", peer => peer.SendAsync(Frame.WindowUpdate(0, 1))),
        ProtocolError.Case("framing.10", "A ping on a stream's id", "spec: StreamID Field",
            peer => peer.SendAsync(Frame.Ping(1) with { StreamId = peer.OurId(1) })),
        ProtocolError.Case("framing.11", "GoAway on a stream's id", "spec: StreamID Field",
            peer => peer.SendAsync(Frame.GoAway(0) with { StreamId = peer.OurId(1) })),
        ProtocolError.Case("framing.12", "The header of a payload of 4294967295 bytes, more than any window,", "spec: Flow Control", async peer =>
        {
            var stream = await peer.OpenAsync();
            await peer.SendAsync(Frame.DataHeader(stream.Id, uint.MaxValue));
        }),
        new("framing.13", Should, "Nothing behind a frame that breaks the protocol is answered.", "hashicorp/yamux: the receive loop ends", async peer =>
        {
            await peer.SendAsync(Frame.Ping(1) with { Version = 1 }, Frame.Ping(2), Frame.Syn(peer.OurId(1)));
            await peer.ExpectEndAsync();
            if (peer.Pongs > 0 || peer.Stream(peer.OurId(1)).Frames > 0)
            {
                throw new SpecFailedException("no answer to what came behind the bad frame", peer.Pongs > 0 ? "a pong" : "a frame on the stream");
            }
        }),
        new("framing.14", Must, "A Data frame without payload is harmless, and no end of the stream.", "spec: Length Field", async peer =>
        {
            var stream = await peer.OpenAsync();
            await peer.SendAsync(Frame.Data(stream.Id, default));
            await peer.EchoAsync(stream, TestedPeer.Pattern(100));
            await peer.FinishAsync(stream);
        }),
    ];

    private static async Task ByteByByteAsync(TestedPeer peer)
    {
        var id = peer.OurId(1);
        foreach (var frame in new[] { Frame.Syn(id), Frame.Ping(77), Frame.Data(id, TestedPeer.Pattern(20)), Frame.Data(id, TestedPeer.Pattern(5)) })
        {
            await peer.SendByteByByteAsync(frame);
        }

        // hashicorp/yamux sends none for a stream that has its FIN before it is accepted.
        await peer.UntilAsync("ACK", () => peer.Stream(id).Acknowledged);
        await peer.SendByteByByteAsync(Frame.Fin(id));
        await peer.UntilAsync("ACK, pong, echo and FIN", () => peer.Stream(id) is { Acknowledged: true, FinReceived: true, Received: 25 } && peer.Pongs == 1);
    }

    private static async Task TogetherAsync(TestedPeer peer)
    {
        var frames = new List<Frame>();
        for (var number = 1u; number <= 20; number++)
        {
            var id = peer.OurId(number);
            frames.AddRange([Frame.Syn(id), Frame.Data(id, TestedPeer.Pattern(10, (int)number)), Frame.Ping(number), Frame.WindowUpdate(id, 1), Frame.Fin(id)]);
        }

        await peer.SendAsync([.. frames]);
        foreach (var stream in peer.Streams)
        {
            await peer.ExpectEchoAndFinAsync(stream);
        }

        await peer.UntilAsync("20 pongs", () => peer.Pongs == 20);
    }
}
