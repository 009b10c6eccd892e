using System.Buffers;
using System.IO.Pipelines;
using Xunit;

namespace Yamux.Tests.Kit;

/// <summary>Test data, and ways to take it from a stream.</summary>
public static class Bytes
{
    /// <summary>Bytes that differ from place to place, so that what is lost, doubled or swapped shows.</summary>
    public static byte[] Pattern(int count, int seed = 0)
    {
        var bytes = new byte[count];
        for (var i = 0; i < count; i++)
        {
            bytes[i] = (byte)((i * 31) + (i >> 8) + (i >> 16) + seed);
        }

        return bytes;
    }

    /// <summary>The same bytes; for so many that to compare them one by one would take long.</summary>
    public static void AssertSame(byte[] expected, byte[] actual)
    {
        var common = expected.AsSpan().CommonPrefixLength(actual);
        Assert.True(
            common == expected.Length && common == actual.Length,
            $"{expected.Length} bytes were expected and {actual.Length} came; the first {common} agree.");
    }

    /// <summary>Reads and consumes exactly so many bytes.</summary>
    public static async Task<byte[]> TakeAsync(this PipeReader input, int count)
    {
        if (count == 0)
        {
            return [];
        }

        var read = await input.ReadAtLeastAsync(count).Guarded();
        Assert.True(read.Buffer.Length >= count, $"The stream ended after {read.Buffer.Length} bytes; {count} were expected.");
        var taken = read.Buffer.Slice(0, count);
        var bytes = taken.ToArray();
        input.AdvanceTo(taken.End);
        return bytes;
    }

    /// <summary>Reads to the end, consuming each piece as it comes.</summary>
    public static async Task<byte[]> TakeAllAsync(this PipeReader input)
    {
        var bytes = new List<byte>();
        while (true)
        {
            var read = await input.ReadAsync().Guarded();
            bytes.AddRange(read.Buffer.ToArray());
            input.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
            {
                return [.. bytes];
            }
        }
    }

    /// <summary>The stream ends, cleanly and with nothing more.</summary>
    public static async Task ExpectEndAsync(this PipeReader input) => Assert.Empty(await input.TakeAllAsync());

    /// <summary>Looks at so many bytes, all that there are, and consumes none.</summary>
    public static async Task ExamineAsync(this PipeReader input, int count)
    {
        var read = await input.ReadAtLeastAsync(count).Guarded();
        Assert.Equal(count, read.Buffer.Length);
        input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
    }
}
