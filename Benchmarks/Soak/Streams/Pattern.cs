namespace Benchmarks.Soak.Streams;

/// <summary>
/// The bytes that a stream carries: a piece of one block of noise, which begins where the stream's seed says. So any byte
/// is known from its offset alone, and one that is lost, repeated, moved, changed or another stream's is found where it is.
/// </summary>
internal static class Pattern
{
    /// <summary>The most bytes that <see cref="Slice"/> returns.</summary>
    public const int MaxSlice = 64 * 1024;

    // A prime, so that no frame, buffer or window divides it.
    private const int Period = 1_048_573;

    private static readonly byte[] Noise = Create();

    /// <summary>The bytes at this offset, at most <see cref="MaxSlice"/> of them.</summary>
    public static ReadOnlyMemory<byte> Slice(ulong seed, long offset, int count)
        => Noise.AsMemory(Position(seed, offset), Math.Min(count, MaxSlice));

    /// <summary>Where the first wrong byte is; -1 if all are right.</summary>
    public static long FindWrong(ulong seed, long offset, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var expected = Slice(seed, offset, bytes.Length).Span;
            var same = bytes.CommonPrefixLength(expected);
            if (same < expected.Length)
            {
                return offset + same;
            }

            bytes = bytes[same..];
            offset += same;
        }

        return -1;
    }

    private static int Position(ulong seed, long offset) => (int)((seed % Period + (ulong)offset) % Period);

    private static byte[] Create()
    {
        var noise = new byte[Period + MaxSlice];
        new Random(20240229).NextBytes(noise.AsSpan(0, Period));
        noise.AsSpan(0, MaxSlice).CopyTo(noise.AsSpan(Period));
        return noise;
    }
}
