using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using Backchannel.V1;
using Google.Protobuf;
using Yamux;

namespace Backchannel;

/// <summary>Messages on a stream of a link, each with its length before it.</summary>
internal static class LinkMessages
{
    private const int PrefixLength = sizeof(ushort);

    // A name and some numbers, and room for what later versions add.
    private const int MaxLength = 4096;

    public static async ValueTask WriteAsync(YamuxStream stream, LinkPeer message, CancellationToken cancellationToken)
    {
        var bytes = new byte[PrefixLength + message.CalculateSize()];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)(bytes.Length - PrefixLength));
        message.WriteTo(bytes.AsSpan(PrefixLength));
        await stream.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The next one; null at the end.</summary>
    /// <exception cref="IOException">What came is none, or the stream was lost.</exception>
    public static async ValueTask<LinkPeer?> ReadAsync(PipeReader input, CancellationToken cancellationToken)
    {
        var read = await input.ReadAtLeastAsync(PrefixLength, cancellationToken).ConfigureAwait(false);
        if (read.Buffer.IsEmpty)
        {
            return null;
        }

        var length = read.Buffer.Length < PrefixLength ? throw new IOException("the stream ended within a message") : ReadLength(read.Buffer);
        if (length > MaxLength)
        {
            throw new IOException(FormattableString.Invariant($"a message has {length} bytes; {MaxLength} are the most"));
        }

        input.AdvanceTo(read.Buffer.GetPosition(PrefixLength));
        if (length == 0)
        {
            return new LinkPeer();
        }

        read = await input.ReadAtLeastAsync(length, cancellationToken).ConfigureAwait(false);
        if (read.Buffer.Length < length)
        {
            throw new IOException("the stream ended within a message");
        }

        try
        {
            return LinkPeer.Parser.ParseFrom(read.Buffer.Slice(0, length));
        }
        catch (InvalidProtocolBufferException failure)
        {
            throw new IOException(failure.Message, failure);
        }
        finally
        {
            input.AdvanceTo(read.Buffer.GetPosition(length));
        }
    }

    private static int ReadLength(in ReadOnlySequence<byte> buffer)
    {
        Span<byte> prefix = stackalloc byte[PrefixLength];
        buffer.Slice(0, PrefixLength).CopyTo(prefix);
        return BinaryPrimitives.ReadUInt16BigEndian(prefix);
    }
}
