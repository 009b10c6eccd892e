using System.Buffers.Text;
using System.Diagnostics;

namespace Sidechannel;

/// <summary>What stands before each piece of the caller's bytes, so that it can end them and go on reading.</summary>
/// <remarks><code>
/// 4 hex digits: length of header and payload | payload
/// "0000": the end
/// </code></remarks>
internal static class PacketHeader
{
    public const int Size = 4;

    /// <summary>The longest payload that Gitaly sends, and so do we. A header can tell of 15 bytes more.</summary>
    public const int MaxPayload = 65_516;

    public static ReadOnlySpan<byte> End => "0000"u8;

    /// <param name="destination">At least <see cref="Size"/> bytes.</param>
    /// <param name="payloadLength">1 to <see cref="MaxPayload"/>.</param>
    public static void Write(Span<byte> destination, int payloadLength)
    {
        Debug.Assert(payloadLength is > 0 and <= MaxPayload, "a payload has 1 to 65,516 bytes");
        var written = Utf8Formatter.TryFormat((uint)(payloadLength + Size), destination, out _, new('x', Size));
        Debug.Assert(written, "four digits fit");
    }

    /// <summary>How long the payload is; null for the packet that ends all.</summary>
    /// <param name="header">Exactly <see cref="Size"/> bytes.</param>
    /// <exception cref="SidechannelException">It is no header.</exception>
    public static int? ReadPayloadLength(ReadOnlySpan<byte> header)
    {
        if (!Utf8Parser.TryParse(header, out uint length, out var digits, 'x') || digits != Size)
        {
            throw new SidechannelException(
                SidechannelErrorCode.Malformed, $"A packet of the sidechannel begins with the bytes {Convert.ToHexString(header)}; it must begin with 4 hexadecimal digits.");
        }

        return length switch
        {
            0 => null,
            < Size => throw new SidechannelException(
                SidechannelErrorCode.Malformed, $"A packet of the sidechannel has the length {length}; it must be 0, or at least {Size}, which counts the length itself."),
            _ => (int)length - Size,
        };
    }
}
