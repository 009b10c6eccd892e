using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.InteropServices;

namespace Yamux.Tests.Fuzzing;

/// <summary>A stream in the hands of an application that does anything that it may do, in any order.</summary>
internal sealed class FuzzStream(YamuxStream stream, ReceivedStream received)
{
    private readonly List<byte> _content = [];
    private long _seen;
    private Task<ReadResult>? _reading;
    private Task? _writing;
    private bool _readerDone;
    private bool _writerDone;

    public void Act(Random random)
    {
        switch (random.Next(16))
        {
            case < 6:
                TryRead(random.Next(4) == 0 ? random.Next(100) : int.MaxValue);
                break;
            case < 7 when !_readerDone && _reading is null:
                TryRead(0);
                _reading = _readerDone ? null : stream.Input.ReadAsync().AsTask(); // Examined, and nothing consumed: it may be lent credit.
                break;
            case < 12 when !_writerDone && _writing is null:
                var write = stream.Output.WriteAsync(new byte[random.Next(50) == 0 ? random.Next(300_000) : random.Next(60)]);
                _writing = write.IsCompletedSuccessfully ? null : write.AsTask();
                break;
            case 12:
                _writerDone = true;
                stream.Output.Complete();
                break;
            case 13 when random.Next(4) == 0:
                _readerDone = true;
                stream.Input.Complete();
                break;
            case 14 when random.Next(4) == 0:
                _readerDone = _writerDone = true;
                stream.Abort();
                break;
            case 15 when random.Next(4) == 0:
                _readerDone = _writerDone = true;
                _writing ??= stream.DisposeAsync().AsTask();
                break;
        }
    }

    /// <summary>The session has ended, and so must everything that waits. What was received must be what had come.</summary>
    public async Task EndAsync(bool expectAll)
    {
        await IgnoreYamuxAsync(_writing);
        var ended = false;
        try
        {
            if (_reading is not null)
            {
                ended = Take(await _reading, int.MaxValue);
            }

            while (!ended && !_readerDone)
            {
                ended = Take(await stream.Input.ReadAsync(), int.MaxValue);
            }
        }
        catch (YamuxException failure)
        {
            // What comes after this end has reset the stream for its lateness is dropped.
            expectAll &= failure.ErrorCode is not (YamuxErrorCode.StreamOpenTimeout or YamuxErrorCode.StreamCloseTimeout);
        }

        FuzzFailureException.Unless(
            CollectionsMarshal.AsSpan(received.Content).StartsWith(CollectionsMarshal.AsSpan(_content)),
            $"Stream {stream.Id} has given {_content.Count} bytes that are not the first of the {received.Content.Count} that came.");
        FuzzFailureException.Unless(
            !ended || (received.HasFin && _content.Count == received.Content.Count),
            $"Stream {stream.Id} reads as ended after {_content.Count} of {received.Content.Count} bytes; FIN: {received.HasFin}.");
        FuzzFailureException.Unless(
            !expectAll || _readerDone || _seen == received.Content.Count,
            $"Stream {stream.Id} has shown {_seen} of the {received.Content.Count} bytes that came.");
    }

    private static async Task IgnoreYamuxAsync(Task? task)
    {
        try
        {
            await (task ?? Task.CompletedTask);
        }
        catch (YamuxException)
        {
        }
    }

    private void TryRead(int most)
    {
        if (_readerDone || _reading is not null)
        {
            return;
        }

        try
        {
            if (stream.Input.TryRead(out var read))
            {
                _readerDone = Take(read, most) || _readerDone;
                if (_readerDone)
                {
                    CheckEnd();
                }
            }
        }
        catch (YamuxException)
        {
            _readerDone = true;
        }
    }

    private void CheckEnd() => FuzzFailureException.Unless(
        received.HasFin && _content.Count == received.Content.Count,
        $"Stream {stream.Id} reads as ended after {_content.Count} of {received.Content.Count} bytes; FIN: {received.HasFin}.");

    // True: the end.
    private bool Take(ReadResult read, int most)
    {
        // What was shown and left unread is not shown again when the stream fails.
        _seen = Math.Max(_seen, _content.Count + read.Buffer.Length);
        var taken = read.Buffer.Slice(0, Math.Min(most, read.Buffer.Length));
        foreach (var piece in taken)
        {
            _content.AddRange(piece.Span);
        }

        var all = taken.Length == read.Buffer.Length;
        stream.Input.AdvanceTo(taken.End, read.Buffer.End);
        return read.IsCompleted && all;
    }
}
