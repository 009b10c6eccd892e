using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Backchannel;

/// <summary>
/// What a stream of a link begins with: a version (one byte), the length of the rest (two bytes, big-endian), the number of the attachment (eight bytes; 0: whichever has the name), then the replica that is
/// asked, the one that asks, and the agent's name, each with its length before it in one byte. What stands behind is for later versions that this one can do without.
/// </summary>
/// <param name="Replica">The one that is asked.</param>
/// <param name="Caller">The one that asks.</param>
/// <param name="Name">The agent's name.</param>
/// <param name="Attachment">Which of its attachments; 0: whichever has the name.</param>
internal sealed record LinkHeader(string Replica, string Caller, string Name, long Attachment)
{
    public const byte Version = 1;

    /// <summary>Version and length.</summary>
    public const int PrefixLength = 3;

    /// <summary>The most that the rest may have, in bytes.</summary>
    public const int MaxLength = 1024;

    /// <summary>What every connection of a link begins with.</summary>
    public static ReadOnlySpan<byte> Magic => "replicalink"u8;

    public byte[] ToBytes()
    {
        var bytes = new ArrayBufferWriter<byte>();
        bytes.Write<byte>([Version, 0, 0]);
        BinaryPrimitives.WriteInt64BigEndian(bytes.GetSpan(sizeof(long)), Attachment);
        bytes.Advance(sizeof(long));
        Write(bytes, Replica);
        Write(bytes, Caller);
        Write(bytes, Name);
        var all = bytes.WrittenSpan.ToArray();
        BinaryPrimitives.WriteUInt16BigEndian(all.AsSpan(1), (ushort)(all.Length - PrefixLength));
        return all;
    }

    /// <summary>Reads what stands behind the prefix. False: it is none.</summary>
    public static bool TryRead(ReadOnlySpan<byte> rest, [NotNullWhen(true)] out LinkHeader? header)
    {
        header = null;
        if (rest.Length < sizeof(long))
        {
            return false;
        }

        var attachment = BinaryPrimitives.ReadInt64BigEndian(rest);
        rest = rest[sizeof(long)..];
        if (attachment < 0 || !TryRead(ref rest, out var replica) || !TryRead(ref rest, out var caller) || !TryRead(ref rest, out var name) || !PeerName.IsValid(name))
        {
            return false;
        }

        header = new LinkHeader(replica, caller, name, attachment);
        return true;
    }

    private static void Write(ArrayBufferWriter<byte> bytes, string text)
    {
        bytes.Write<byte>([(byte)text.Length]);
        Encoding.ASCII.GetBytes(text, bytes);
    }

    private static bool TryRead(ref ReadOnlySpan<byte> rest, out string text)
    {
        text = "";
        if (rest.IsEmpty || rest.Length < 1 + rest[0])
        {
            return false;
        }

        text = Encoding.ASCII.GetString(rest.Slice(1, rest[0]));
        rest = rest[(1 + rest[0])..];
        return true;
    }
}
