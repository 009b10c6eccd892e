using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Interop.Tests.Sidechannel;

/// <summary>
/// An endless run of bytes that its seed determines, the same here and in Go. It is filled in whole words, so only the last of
/// a run may have a length that is no multiple of 8.
/// </summary>
internal sealed class Pattern(long seed)
{
    // More than a packet, so that writes are split.
    private const int PieceSize = 128 * 1024;

    private ulong _state = ((ulong)seed << 1) | 1; // Never 0, which would stay 0.

    /// <summary>Writes the first bytes that the seed determines.</summary>
    public static async Task SendAsync(Stream to, long seed, long length, Milestone? milestone = null, CancellationToken cancellationToken = default)
    {
        var pattern = new Pattern(seed);
        var piece = new byte[PieceSize];
        while (length > 0)
        {
            var part = piece.AsMemory(0, (int)Math.Min(length, PieceSize));
            pattern.Fill(part.Span);
            await to.WriteAsync(part, cancellationToken);
            milestone?.Pass(part.Length);
            length -= part.Length;
        }
    }

    /// <summary>Reads to the end, which must come after exactly these bytes.</summary>
    public static async Task ExpectAsync(Stream from, long seed, long length, Milestone? milestone = null, CancellationToken cancellationToken = default)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[PieceSize];
        var received = 0L;
        while (await from.ReadAsync(buffer, cancellationToken) is > 0 and var count)
        {
            hash.AppendData(buffer.AsSpan(0, count));
            milestone?.Pass(count);
            received += count;
        }

        Assert.Equal(length, received);
        Assert.Equal(Digest(seed, length), hash.GetHashAndReset());
    }

    public static byte[] Digest(long seed, long length)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var pattern = new Pattern(seed);
        var piece = new byte[PieceSize];
        while (length > 0)
        {
            var part = piece.AsSpan(0, (int)Math.Min(length, PieceSize));
            pattern.Fill(part);
            hash.AppendData(part);
            length -= part.Length;
        }

        return hash.GetHashAndReset();
    }

    private void Fill(Span<byte> destination)
    {
        Span<byte> word = stackalloc byte[sizeof(ulong)];
        while (!destination.IsEmpty)
        {
            _state ^= _state << 13;
            _state ^= _state >> 7;
            _state ^= _state << 17;
            BinaryPrimitives.WriteUInt64LittleEndian(word, _state);
            var count = Math.Min(word.Length, destination.Length);
            word[..count].CopyTo(destination);
            destination = destination[count..];
        }
    }
}
