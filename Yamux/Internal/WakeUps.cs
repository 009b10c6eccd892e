using Yamux.IO;

namespace Yamux.Internal;

/// <summary>
/// What the read loop does for others when it has dealt with all that it has read: those who waited for it go on, and what it has appended is sent. The loop's own.
/// </summary>
/// <remarks>
/// A change of threads costs as much as the rest of a small message. So all go on on the thread pool but the last one, who may have the loop's own thread as soon as the loop
/// itself waits. While bytes keep coming he waits too, for a few reads, and finds more at once.
/// </remarks>
/// <param name="writer">Where answers and credit stand.</param>
/// <param name="maxAnswers">How many answers may wait to be sent.</param>
/// <param name="lendsThread">Whether the loop goes on on a thread of the pool's, and never on one that has other work to go back to.</param>
internal sealed class WakeUps(FrameWriter writer, int maxAnswers, bool lendsThread)
{
    private const int MaxReadsInARow = 3;

    // A peer may provoke an answer with twelve bytes; they leave together, but not so many that the limit is reached by a burst that the transport would have taken.
    private const int AnswersPerFlush = 256;

    private readonly List<YamuxStream> _touched = [];
    private IThreadPoolWorkItem? _last;
    private int _readsInARow;
    private int _answers;
    private bool _flushes;

    /// <summary>Lets go on who was taken by <see cref="TakeLast"/>: here, if that is a thread of the pool's.</summary>
    public static void LendThread(IThreadPoolWorkItem? last)
    {
        if (last is null)
        {
            return;
        }

        if (Thread.CurrentThread.IsThreadPoolThread)
        {
            last.Execute();
        }
        else
        {
            ThreadPool.UnsafeQueueUserWorkItem(last, preferLocal: false);
        }
    }

    /// <summary>Bytes have come for the stream. Its reader sees as much as there is when all is dealt with, and is not woken before.</summary>
    public void Touch(YamuxStream stream)
    {
        if (!stream.IsTouched)
        {
            stream.IsTouched = true;
            _touched.Add(stream);
        }
    }

    /// <summary>Something was appended that is to be sent.</summary>
    public void WantFlush() => _flushes = true;

    /// <summary>An answer that the peer has provoked was appended.</summary>
    public void OnAnswer()
    {
        _flushes = true;
        if (++_answers >= Math.Min(AnswersPerFlush, maxAnswers))
        {
            _answers = 0;
            writer.Flush();
        }
    }

    /// <summary>Somebody who waited can go on.</summary>
    public void Add(IThreadPoolWorkItem woken)
    {
        QueueLast();
        _last = woken;
        _readsInARow = 0;
    }

    /// <summary>All that was read is dealt with.</summary>
    public void OnProcessed()
    {
        var woken = 0;
        foreach (var stream in _touched)
        {
            stream.IsTouched = false;
            if (stream.TryWakeReader())
            {
                woken++;
                Add(stream.Reader);
            }
        }

        if (_touched.Count > 0)
        {
            _touched.Clear();
            writer.OnInput(woken);
        }

        if (!lendsThread)
        {
            QueueLast();
        }

        _answers = 0;
        if (_flushes)
        {
            _flushes = false;
            writer.Flush();
        }
    }

    /// <summary>There is more to read at once.</summary>
    public void OnReadOn()
    {
        if (++_readsInARow == MaxReadsInARow)
        {
            QueueLast();
        }
    }

    /// <summary>The loop is about to wait: who has its thread then, by <see cref="LendThread"/>.</summary>
    public IThreadPoolWorkItem? TakeLast()
    {
        var last = _last;
        _last = null;
        _readsInARow = 0;
        return last;
    }

    /// <summary>The last one does not get this thread.</summary>
    public void QueueLast()
    {
        if (_last is { } last)
        {
            _last = null;
            ThreadPool.UnsafeQueueUserWorkItem(last, preferLocal: false);
        }
    }
}
