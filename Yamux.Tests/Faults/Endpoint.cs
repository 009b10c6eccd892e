using System.Buffers;
using Xunit;
using Yamux.Tests.Kit;

namespace Yamux.Tests.Faults;

/// <summary>One end of a stream of an <see cref="Exchange"/>: it knows every byte that it sends and checks every byte that comes.</summary>
internal sealed class Endpoint(YamuxStream stream, bool isClient)
{
    private const int LongestContent = 400_000;
    private static readonly byte[] Pattern = Bytes.Pattern(LongestContent + 1000);
    private int _sent;
    private int _received;

    public YamuxStream Stream => stream;

    /// <summary>How many bytes were given to the session; of the last write perhaps only a part was taken.</summary>
    public int Sent => Volatile.Read(ref _sent);

    public int Received => Volatile.Read(ref _received);

    /// <summary>Whether this end has sent FIN, or tried to.</summary>
    public bool IsFinished { get; private set; }

    /// <summary>Whether this end has sent RST, or tried to.</summary>
    public bool IsAborted { get; private set; }

    /// <summary>What the reader got in the end; null: a clean end.</summary>
    public YamuxException? Failure { get; private set; }

    public async Task SendAsync(int count)
    {
        var bytes = Content(isClient).Slice(_sent, count);
        Volatile.Write(ref _sent, _sent + count);
        switch (count % 3)
        {
            case 0:
                await stream.Output.WriteAsync(bytes);
                break;
            case 1:
                await stream.AsStream().WriteAsync(bytes);
                break;
            default:
                bytes.CopyTo(stream.Output.GetMemory(count));
                stream.Output.Advance(count);
                await stream.Output.FlushAsync();
                break;
        }
    }

    /// <summary>Sends FIN.</summary>
    public void Finish()
    {
        IsFinished = true;
        stream.Output.Complete();
    }

    /// <summary>Sends RST.</summary>
    public void Abort()
    {
        IsAborted = true;
        stream.Abort();
    }

    /// <summary>Reads until so many bytes have come since the stream began.</summary>
    public async Task ReceiveAsync(int total)
    {
        while (_received < total)
        {
            Assert.True(await ReceiveSomeAsync(), $"Stream {stream.Id} reads as ended after {_received} bytes; {total} were to come.");
        }
    }

    /// <summary>Reads to the clean end.</summary>
    public async Task ReceiveEndAsync()
    {
        while (await ReceiveSomeAsync())
        {
        }
    }

    /// <summary>Reads whatever is left, to whatever end.</summary>
    public async Task DrainAsync()
    {
        try
        {
            await ReceiveEndAsync();
        }
        catch (YamuxException failure)
        {
            Failure = failure;
        }
    }

    private async Task<bool> ReceiveSomeAsync()
    {
        var read = await stream.Input.ReadAsync();
        foreach (var piece in read.Buffer)
        {
            Assert.True(
                piece.Span.SequenceEqual(Content(!isClient).Span.Slice(_received, piece.Length)),
                $"Stream {stream.Id} gives wrong bytes, somewhere from {_received} to {_received + piece.Length}.");
            Volatile.Write(ref _received, _received + piece.Length);
        }

        stream.Input.AdvanceTo(read.Buffer.End);
        return !read.IsCompleted;
    }

    // Each stream and each direction has its own, or a byte that comes to the wrong place would not show.
    private ReadOnlyMemory<byte> Content(bool fromClient) => Pattern.AsMemory((int)(stream.Id % 400 * 2) + (fromClient ? 1 : 0), LongestContent);
}
