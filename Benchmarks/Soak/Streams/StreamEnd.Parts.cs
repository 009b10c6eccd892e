using System.Buffers;
using System.Security.Cryptography;

namespace Benchmarks.Soak.Streams;

/// <content>The parts of which exchanges are made.</content>
internal abstract partial class StreamEnd
{
    private const int HashSize = SHA256.HashSizeInBytes;

    /// <summary>Sends the pattern. False if this end has left the exchange.</summary>
    protected async Task<bool> SendPatternAsync(IncrementalHash? hash)
    {
        var sizes = new RandomSequence(Plan.Seed ^ 4);
        for (var offset = 0L; offset < Plan.Length;)
        {
            if (Interrupts(offset))
            {
                return false;
            }

            var bytes = Pattern.Slice(Plan.Seed, offset, (int)Math.Min(Plan.Length - offset, 1 + sizes.Next(Pattern.MaxSlice)));
            await WriteAsync(bytes);
            hash?.AppendData(bytes.Span);
            offset += bytes.Length;
        }

        return !Interrupts(Plan.Length);
    }

    /// <summary>Receives the pattern to the end of the stream. False if one of the ends has left the exchange.</summary>
    /// <param name="hash">Gets what was received.</param>
    /// <param name="echo">Whether it is sent back at once.</param>
    protected async Task<bool> ReceivePatternAsync(IncrementalHash? hash, bool echo = false)
    {
        var offset = 0L;
        while (!Interrupts(offset))
        {
            var bytes = await ReadAsync();
            if (bytes.IsEmpty)
            {
                View.Advance();
                return IsWhole(offset, Plan.Length);
            }

            foreach (var piece in bytes)
            {
                Check(offset, piece.Span);
                hash?.AppendData(piece.Span);
                if (echo)
                {
                    await WriteAsync(piece);
                }

                offset += piece.Length;
            }

            View.Advance();
            Interlocked.Add(ref Context.Totals.Bytes, bytes.Length);
        }

        return false;
    }

    /// <summary>Sends the hash and closes this end's side.</summary>
    protected async Task SendHashAsync(IncrementalHash hash)
    {
        await WriteAsync(hash.GetHashAndReset());
        View.EndWriting();
    }

    /// <summary>Receives the hash and the end of the stream. False if one of the ends has left the exchange.</summary>
    protected async Task<bool> ReceiveHashAsync(IncrementalHash hash)
    {
        var received = new byte[HashSize + 1];
        var count = 0;
        while (!IsEnding)
        {
            var bytes = await ReadAsync();
            if (bytes.IsEmpty)
            {
                View.Advance();
                return IsWhole(count, HashSize) && IsSame(received.AsSpan(0, count), hash.GetHashAndReset());
            }

            if (count + bytes.Length > HashSize)
            {
                throw new WrongBytesException($"{count + bytes.Length} bytes came for a hash of {HashSize}");
            }

            bytes.CopyTo(received.AsSpan(count));
            count += (int)bytes.Length;
            View.Advance();
        }

        return false;
    }

    private static bool IsSame(ReadOnlySpan<byte> received, ReadOnlySpan<byte> expected)
        => received.SequenceEqual(expected)
            ? true
            : throw new WrongBytesException($"the hash is {Convert.ToHexString(received)}; of what was sent it is {Convert.ToHexString(expected)}");

    private void Check(long offset, ReadOnlySpan<byte> bytes)
    {
        var wrong = Pattern.FindWrong(Plan.Seed, offset, bytes);
        if (wrong >= 0)
        {
            throw new WrongBytesException(FormattableString.Invariant(
                $"at offset {wrong:N0} came {bytes[(int)(wrong - offset)]:x2} instead of {Pattern.Slice(Plan.Seed, wrong, 1).Span[0]:x2}"));
        }

        if (offset + bytes.Length > Plan.Length)
        {
            throw new WrongBytesException(FormattableString.Invariant($"{offset + bytes.Length:N0} bytes came; {Plan.Length:N0} were sent"));
        }
    }

    // Nothing but the other end's own wish may make a clean end of a part: not a reset, and not the death of the session.
    private bool IsWhole(long received, long expected)
        => received == expected
            || (Plan.EndsEarly(!opener) || IsEnding ? false : throw new WrongBytesException(FormattableString.Invariant(
                $"the stream ended, as if that were all, after {received:N0} of {expected:N0} bytes")));

    private async ValueTask<ReadOnlySequence<byte>> ReadAsync()
    {
        var bytes = await View.ReadAsync(Stop);
        _read += bytes.Length;
        Touch();
        return bytes;
    }

    private async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        await View.WriteAsync(bytes, Stop);
        _written += bytes.Length;
        Touch();
    }
}
