using System.Buffers.Binary;

namespace Backchannel.Tests.Authority;

/// <summary>Writes HTTP/2 frames.</summary>
internal static class Http2Frames
{
    public const byte Data = 0;
    public const byte Headers = 1;
    public const byte Priority = 2;
    public const byte RstStream = 3;
    public const byte Settings = 4;
    public const byte PushPromise = 5;
    public const byte Ping = 6;
    public const byte GoAway = 7;
    public const byte Continuation = 9;

    public const byte EndStream = 0x01;
    public const byte EndHeaders = 0x04;
    public const byte Padded = 0x08;
    public const byte HasPriority = 0x20;

    /// <summary>How many bytes are in front of what a frame carries.</summary>
    public const int HeaderSize = 9;

    public static byte[] Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray();

    /// <summary>What a client begins with: the preface, and SETTINGS without any.</summary>
    public static byte[] Opening => [.. Preface, .. Frame(Settings, 0, 0, [])];

    public static byte[] Frame(byte type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        var frame = new byte[9 + payload.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, payload.Length << 8);
        frame[3] = type;
        frame[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame.AsSpan(9));
        return frame;
    }

    /// <summary>A request without a body, in one frame.</summary>
    public static byte[] Request(int stream, byte[] block, int padding = -1, bool priority = false)
    {
        var flags = (byte)(EndStream | EndHeaders);
        List<byte> payload = [];
        if (padding >= 0)
        {
            flags |= Padded;
            payload.Add((byte)padding);
        }

        if (priority)
        {
            flags |= HasPriority;
            payload.AddRange([0, 0, 0, 0, 15]);
        }

        payload.AddRange(block);
        payload.AddRange(new byte[Math.Max(padding, 0)]);
        return Frame(Headers, flags, stream, payload.ToArray());
    }

    /// <summary>A request without a body, its block cut at <paramref name="cuts"/>: HEADERS and as many CONTINUATION frames.</summary>
    public static byte[] Continued(int stream, byte[] block, params int[] cuts)
    {
        List<byte> frames = [];
        int[] ends = [.. cuts, block.Length];
        var start = 0;
        for (var i = 0; i < ends.Length; i++)
        {
            var flags = (byte)((i == 0 ? EndStream : 0) | (i == ends.Length - 1 ? EndHeaders : 0));
            frames.AddRange(Frame(i == 0 ? Headers : Continuation, flags, stream, block.AsSpan(start..ends[i])));
            start = ends[i];
        }

        return [.. frames];
    }
}
