using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Grpc.Core;

namespace Backchannel;

/// <summary>
/// The frames of a server that answers its first requests with a gRPC status, and takes no others (RFC 9113; gRPC over HTTP/2, "Trailers-Only"). gRPC tells such a
/// status as it is; the reason of an exception it puts behind those of the HTTP client.
/// </summary>
internal static class Http2Refusal
{
    private const byte Headers = 1;
    private const byte RstStream = 3;
    private const byte Settings = 4;
    private const byte GoAway = 7;
    private const byte EndStreamAndHeaders = 0x01 | 0x04;

    // HPACK, RFC 7541: fields without indexing, of which the static table has the names of two.
    private const byte StatusName = 8;
    private const byte NewName = 0;
    private const byte LengthPrefix = 0x7f;

    /// <summary>Unavailable, for these requests.</summary>
    /// <param name="requests">The streams, in the order in which they were opened.</param>
    /// <param name="message">Why.</param>
    public static byte[] Create(ReadOnlySpan<int> requests, string message)
    {
        var answer = new ArrayBufferWriter<byte>();
        answer.Write([StatusName]);
        WriteString(answer, "503");
        WriteField(answer, "content-type", "application/grpc");
        WriteField(answer, "grpc-status", ((int)StatusCode.Unavailable).ToString(CultureInfo.InvariantCulture));
        WriteField(answer, "grpc-message", Uri.EscapeDataString(message));

        var frames = new ArrayBufferWriter<byte>();
        WriteFrame(frames, Settings, 0, 0, []);
        ReadOnlySpan<byte> noError = [0, 0, 0, 0]; // The rest of the request is not needed.
        foreach (var request in requests)
        {
            WriteFrame(frames, Headers, EndStreamAndHeaders, request, answer.WrittenSpan);
            WriteFrame(frames, RstStream, 0, request, noError);
        }

        Span<byte> goAway = stackalloc byte[2 * sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(goAway, requests.IsEmpty ? 0 : requests[^1]);
        WriteFrame(frames, GoAway, 0, 0, goAway);
        return frames.WrittenSpan.ToArray();
    }

    private static void WriteFrame(ArrayBufferWriter<byte> frames, byte type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        Span<byte> header = stackalloc byte[Http2FrameHeader.Size];
        BinaryPrimitives.WriteInt32BigEndian(header, payload.Length << 8);
        header[3] = type;
        header[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(header[5..], stream);
        frames.Write<byte>(header);
        frames.Write<byte>(payload);
    }

    private static void WriteField(ArrayBufferWriter<byte> block, string name, string value)
    {
        block.Write([NewName]);
        WriteString(block, name);
        WriteString(block, value);
    }

    private static void WriteString(ArrayBufferWriter<byte> block, string value)
    {
        var length = value.Length;
        if (length < LengthPrefix)
        {
            block.Write([(byte)length]);
        }
        else
        {
            block.Write([LengthPrefix]);
            for (length -= LengthPrefix; length >= 0x80; length >>= 7)
            {
                block.Write([(byte)(length | 0x80)]);
            }

            block.Write([(byte)length]);
        }

        block.Write<byte>(Encoding.ASCII.GetBytes(value));
    }
}
