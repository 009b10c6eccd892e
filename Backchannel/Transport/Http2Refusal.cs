using System.Buffers;
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
    // HPACK, RFC 7541: fields without indexing, of which the static table has the names of two.
    private const byte StatusName = 8;
    private const byte NewName = 0;
    private const byte LengthPrefix = 0x7f;

    /// <summary>Unavailable, for these requests.</summary>
    /// <param name="requests">
    /// The streams, in the order in which they were opened. None: it is GOAWAY alone, as Kestrel has it, which a lent stream keeps back until there is a request to go elsewhere.
    /// </param>
    /// <param name="message">Why.</param>
    /// <param name="wereNeverServed">Whether they have certainly reached no handler, so that they may be made again.</param>
    public static byte[] Create(ReadOnlySpan<int> requests, string message, bool wereNeverServed = false)
    {
        var answer = new ArrayBufferWriter<byte>();
        answer.Write([StatusName]);
        WriteString(answer, "503");
        WriteField(answer, "content-type", "application/grpc");
        WriteField(answer, "grpc-status", ((int)StatusCode.Unavailable).ToString(CultureInfo.InvariantCulture));
        WriteField(answer, "grpc-message", Uri.EscapeDataString(message));
        if (wereNeverServed)
        {
            WriteField(answer, CallDispatch.Key, CallDispatch.None);
        }

        var frames = new ArrayBufferWriter<byte>();
        if (!requests.IsEmpty)
        {
            frames.Write<byte>(Http2ServerFrames.Settings);
        }

        ReadOnlySpan<byte> noError = [0, 0, 0, 0]; // The rest of the request is not needed.
        foreach (var request in requests)
        {
            Http2ServerFrames.Write(
                frames, Http2FrameType.Headers, Http2FrameHeader.EndStreamFlag | Http2FrameHeader.EndHeadersFlag, request, answer.WrittenSpan);
            Http2ServerFrames.Write(frames, Http2FrameType.RstStream, 0, request, noError);
        }

        frames.Write<byte>(requests.IsEmpty ? Http2ServerFrames.GoAwayOfNone : Http2ServerFrames.GoAwayOfAll);
        return frames.WrittenSpan.ToArray();
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
