using System.IO.Pipelines;
using System.Security.Cryptography;
using Interop.Tests.Support;
using Yamux;

namespace Interop.Tests.RawYamux;

/// <summary>Random bytes through a stream, known by their hash.</summary>
internal static class Payload
{
    public const int Largest = 8 * 1024 * 1024;

    private const int LargestPiece = 128 * 1024;

    /// <summary>The largest, none and one first; then of all orders of magnitude, the small more often.</summary>
    public static int Size(Random random, int index) => index switch
    {
        0 => Largest,
        1 or 2 => index - 1,
        _ => (int)Math.Pow(Largest, Math.Pow(random.NextDouble(), 3)),
    };

    /// <summary>Writes in pieces of random sizes, and returns the hash of it all in Go's notation.</summary>
    public static async Task<string> WriteAsync(Stream stream, Random random, int size)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var piece = new byte[LargestPiece];
        while (size > 0)
        {
            var part = piece.AsMemory(0, Math.Min(size, random.Next(1, LargestPiece + 1)));
            random.NextBytes(part.Span);
            hash.AppendData(part.Span);
            await stream.WriteAsync(part, TestContext.Current.CancellationToken).Guarded();
            size -= part.Length;
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Reads to the end; returns length and hash as Go prints them.</summary>
    public static async Task<string> ReadToEndAsync(PipeReader reader)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var length = 0L;
        while (true)
        {
            var result = await reader.ReadAsync(TestContext.Current.CancellationToken).Guarded();
            foreach (var segment in result.Buffer)
            {
                hash.AppendData(segment.Span);
            }

            length += result.Buffer.Length;
            reader.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
            {
                return $"{length} {Convert.ToHexStringLower(hash.GetHashAndReset())}";
            }
        }
    }

    /// <summary>Opens a stream, and expects back what it sends: the half-close tells Go's echo where the end is.</summary>
    public static Task SendAsync(YamuxSession session, int seed)
    {
        var random = new Random(seed);
        return SendAsync(session, random, Size(random, seed));
    }

    /// <summary>The same with as many bytes as the far end was told of.</summary>
    public static async Task SendAsync(YamuxSession session, Random random, int size)
    {
        await using var stream = await session.OpenStreamAsync(TestContext.Current.CancellationToken).Guarded();
        var echo = ReadToEndAsync(stream.Input);
        var sent = await WriteAsync(stream.AsStream(), random, size);
        await stream.Output.CompleteAsync();
        Assert.Equal($"{size} {sent}", await echo);
    }

    /// <summary>Sends back all that comes on each stream, until the session ends; returns how many streams there were.</summary>
    public static async Task<int> EchoAllAsync(YamuxSession session)
    {
        var echoes = new List<Task>();
        try
        {
            await foreach (var stream in session.AcceptStreamsAsync(TestContext.Current.CancellationToken))
            {
                echoes.Add(EchoAsync(stream));
            }
        }
        catch (YamuxException)
        {
            // The peer went without a word; whether each stream had ended well, its echo tells.
        }

        await Task.WhenAll(echoes).Guarded();
        return echoes.Count;
    }

    public static async Task EchoAsync(YamuxStream stream)
    {
        await using (stream)
        {
            await stream.Input.CopyToAsync(stream.Output, TestContext.Current.CancellationToken);
        }
    }
}
