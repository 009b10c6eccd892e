using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Backchannel;

/// <summary>
/// What a stream of a link begins with: a version (one byte), the length of the rest (two bytes, big-endian), what it is for (one byte), the number of the attachment (eight bytes; 0: whichever has the name),
/// then the replica that is asked, the one that asks, and the agent's name, each with its length before it in one byte. What stands behind is for later versions that this one can do without.
/// </summary>
/// <param name="Replica">The one that is asked.</param>
/// <param name="Caller">The one that asks.</param>
/// <param name="Name">The agent's name; of a list that behind which it begins, or empty.</param>
/// <param name="Attachment">Which of its attachments; 0: whichever has the name. Of a list how many.</param>
/// <param name="Kind">What it is for.</param>
internal sealed record LinkHeader(string Replica, string Caller, string Name, long Attachment, LinkKind Kind = LinkKind.Call)
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
        bytes.Write<byte>([Version, 0, 0, (byte)Kind]);
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
        if (rest.Length < 1 + sizeof(long))
        {
            return false;
        }

        var kind = (LinkKind)rest[0];
        rest = rest[1..];
        var attachment = BinaryPrimitives.ReadInt64BigEndian(rest);
        rest = rest[sizeof(long)..];
        if (attachment < 0 || !TryRead(ref rest, out var replica) || !TryRead(ref rest, out var caller) || !TryRead(ref rest, out var name)
            || !Enum.IsDefined(kind) || !(PeerName.IsValid(name) || (kind != LinkKind.Call && name.Length == 0)))
        {
            return false;
        }

        header = new LinkHeader(replica, caller, name, attachment, kind);
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
