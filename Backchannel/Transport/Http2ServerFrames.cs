using System.Buffers;
using System.Buffers.Binary;

namespace Backchannel;

/// <summary>Whole frames as an HTTP/2 server sends them (RFC 9113, section 6).</summary>
internal static class Http2ServerFrames
{
    /// <summary>The error code of what is no error (section 7).</summary>
    public const int NoError = 0;

    /// <summary>SETTINGS without any: what a server must send first (section 3.4).</summary>
    public static byte[] Settings { get; } = Create(Http2FrameType.Settings, []);

    /// <summary>GOAWAY that leaves no request out: those that run go on.</summary>
    public static byte[] GoAwayOfAll { get; } = CreateGoAway(int.MaxValue);

    /// <summary>GOAWAY before any request was taken.</summary>
    public static byte[] GoAwayOfNone { get; } = CreateGoAway(0);

    /// <summary>What a GOAWAY says, at the beginning of <paramref name="buffer"/>; of one that is cut off, that no request is left out.</summary>
    public static (int LastStream, int ErrorCode) ReadGoAway(in ReadOnlySequence<byte> buffer)
    {
        var reader = new SequenceReader<byte>(buffer);
        reader.Advance(Http2FrameHeader.Size);
        return reader.TryReadBigEndian(out int lastStream) && reader.TryReadBigEndian(out int errorCode)
            ? (lastStream & int.MaxValue, errorCode)
            : (int.MaxValue, NoError);
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

    // With NO_ERROR: requests up to this stream go on, others take another connection (section 6.8).
    private static byte[] CreateGoAway(int lastStream)
    {
        Span<byte> payload = stackalloc byte[2 * sizeof(int)];
        payload.Clear();
        BinaryPrimitives.WriteInt32BigEndian(payload, lastStream);
        return Create(Http2FrameType.GoAway, payload);
    }

    private static byte[] Create(byte type, ReadOnlySpan<byte> payload)
    {
        var frame = new ArrayBufferWriter<byte>(Http2FrameHeader.Size + payload.Length);
        Write(frame, type, 0, 0, payload);
        return frame.WrittenSpan.ToArray();
    }
}
