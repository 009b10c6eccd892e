using System.Buffers.Binary;
using System.Text;
using Xunit;

namespace Backchannel.Tests.Authority.Fuzzing;

/// <summary>Reads what was sent and what came out of the filter side by side.</summary>
internal static class ReferenceConnection
{
    private const int MaxFrameSize = 16_384;

    /// <summary>
    /// Asserts that only hosts have changed, and those as they should. True if the connection consists of whole frames, so that what follows is read too;
    /// and has no reset, after which an answer may come or not.
    /// </summary>
    public static bool AssertSame(byte[] sent, byte[] seen)
    {
        Assert.Equal(sent.Length, seen.Length);
        var (before, after) = (new ReferenceDecoder(), new ReferenceDecoder());
        var changeable = new bool[sent.Length];
        var at = Http2Frames.Preface.Length;
        List<int>? block = null; // Where its octets are.
        var blockStream = 0;
        var isRead = true;
        var hasReset = false;
        while (at + 9 <= sent.Length)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(sent.AsSpan(at)) >>> 8;
            var (type, flags, stream) = (sent[at + 3], sent[at + 4], BinaryPrimitives.ReadInt32BigEndian(sent.AsSpan(at + 5)) & int.MaxValue);
            if (at + 9 + length > sent.Length)
            {
                break;
            }

            hasReset |= type == Http2Frames.RstStream;
            var payload = Enumerable.Range(at + 9, length);
            at += 9 + length;
            isRead &= length <= MaxFrameSize && (type == Http2Frames.Continuation) == (block is not null) && (block is null || stream == blockStream);
            if (!isRead || type is not (Http2Frames.Headers or Http2Frames.Continuation))
            {
                continue;
            }

            if (type == Http2Frames.Headers)
            {
                var extra = ((flags & Http2Frames.Padded) != 0 ? 1 : 0) + ((flags & Http2Frames.HasPriority) != 0 ? 5 : 0);
                var padding = extra % 5 == 1 && length > 0 ? sent[payload.First()] : 0;
                isRead &= stream != 0 && extra + padding <= length;
                payload = payload.Skip(extra).SkipLast(padding);
                block = [];
                blockStream = stream;
            }

            if (isRead)
            {
                block!.AddRange(payload);
                if ((flags & Http2Frames.EndHeaders) != 0)
                {
                    isRead = AssertSameBlock(before, after, block, sent, seen, changeable);
                    block = null;
                }
            }
        }

        for (var i = 0; i < sent.Length; i++)
        {
            Assert.True(sent[i] == seen[i] || changeable[i], $"Byte {i} of {sent.Length} was changed.");
        }

        return at == sent.Length && !hasReset;
    }

    private static bool AssertSameBlock(ReferenceDecoder before, ReferenceDecoder after, List<int> block, byte[] sent, byte[] seen, bool[] changeable)
    {
        var fields = before.Decode([.. block.Select(i => sent[i])]);
        var others = after.Decode([.. block.Select(i => seen[i])]);
        Assert.Equal(fields?.Count, others?.Count);
        if (fields is null)
        {
            return false;
        }

        foreach (var (field, other) in fields.Zip(others!))
        {
            Assert.Equal((field.Name, field.Start, field.End, field.Value.Length), (other.Name, other.Start, other.End, other.Value.Length));
            if (!field.IsHost || KestrelHost.IsValid(field.Value))
            {
                Assert.Equal(field.Value, other.Value);
                continue;
            }

            // Of more bits than a host can have, it stays.
            var most = 13 * field.Value.Length;
            Assert.True(KestrelHost.IsValid(other.Value) || (other.Value == field.Value && HuffmanCode.GetBitCount(Encoding.Latin1.GetBytes(field.Value)) > most), other.Value);
            for (var i = field.Start; i < field.End; i++)
            {
                changeable[block[i]] = true;
            }
        }

        return true;
    }
}
