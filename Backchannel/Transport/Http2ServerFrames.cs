using System.Buffers;
using System.Buffers.Binary;

namespace Backchannel;

/// <summary>Whole frames as an HTTP/2 server sends them (RFC 9113, section 6).</summary>
internal static class Http2ServerFrames
{
    /// <summary>As the last stream of a GOAWAY: no request is left out.</summary>
    public const int LastStream = int.MaxValue;

    /// <summary>SETTINGS without any: what a server must send first (section 3.4).</summary>
    public static byte[] Settings { get; } = Create(Http2FrameType.Settings, []);

    /// <summary>GOAWAY with NO_ERROR: requests up to this stream go on, others take another connection (section 6.8).</summary>
    public static byte[] GoAway(int lastStream)
    {
        Span<byte> payload = stackalloc byte[2 * sizeof(int)];
        payload.Clear();
        BinaryPrimitives.WriteInt32BigEndian(payload, lastStream);
        return Create(Http2FrameType.GoAway, payload);
    }

    /// <summary>RST_STREAM with REFUSED_STREAM for each of these requests: nothing was done for it, and it may be made elsewhere (section 8.7).</summary>
    public static byte[] Refused(ReadOnlySpan<int> requests)
    {
        var frames = new ArrayBufferWriter<byte>();
        ReadOnlySpan<byte> refusedStream = [0, 0, 0, 7];
        foreach (var request in requests)
        {
            Write(frames, Http2FrameType.RstStream, 0, request, refusedStream);
        }

        return frames.WrittenSpan.ToArray();
    }

    /// <summary>Writes a frame of any type.</summary>
    public static void Write(IBufferWriter<byte> output, byte type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        new Http2FrameHeader(payload.Length, type, flags, stream).Write(output);
        output.Write(payload);
    }

    private static byte[] Create(byte type, ReadOnlySpan<byte> payload)
    {
        var frame = new ArrayBufferWriter<byte>(Http2FrameHeader.Size + payload.Length);
        Write(frame, type, 0, 0, payload);
        return frame.WrittenSpan.ToArray();
    }
}
