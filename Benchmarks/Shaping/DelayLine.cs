using System.Buffers;
using System.Diagnostics;
using System.Net.Sockets;

namespace Benchmarks.Shaping;

/// <summary>
/// One direction of a shaped connection. One thread reads as fast as the link carries and notes when each piece arrives;
/// another writes each when its time has come. The rate is kept on a clock of its own, so that a thread that wakes late
/// loses nothing of it as long as it is no later than the queue is long.
/// </summary>
internal sealed class DelayLine
{
    private const int LargestPiece = 32 * 1024;
    private const int SmallestPiece = 1400;
    private const int PiecesPerSecond = 100;
    private const double QueueSeconds = 0.005;

    private readonly Socket _from;
    private readonly Socket _to;
    private readonly int _pieceLength;
    private readonly double _ticksPerByte;
    private readonly long _delay;
    private readonly long _queue;
    private readonly long _capacity;
    private readonly Action _onEnded;
    private readonly Queue<(byte[] Bytes, int Length, long Arrival)> _underWay = new();
    private long _bytes;
    private bool _readerEnded;
    private bool _writerEnded;

    /// <param name="from">Where the bytes come from.</param>
    /// <param name="to">Where they go.</param>
    /// <param name="shape">How fast, and how late.</param>
    /// <param name="onEnded">Called once, when nothing more will be written.</param>
    public DelayLine(Socket from, Socket to, LinkShape shape, Action onEnded)
    {
        (_from, _to, _onEnded) = (from, to, onEnded);
        _pieceLength = (int)Math.Clamp(shape.BytesPerSecond / PiecesPerSecond, SmallestPiece, LargestPiece);
        _ticksPerByte = (double)Stopwatch.Frequency / shape.BytesPerSecond;
        _delay = (long)(shape.Delay.TotalSeconds * Stopwatch.Frequency);
        _queue = (long)(QueueSeconds * Stopwatch.Frequency);

        // Room for what is under way, the queue before it, and as much again for a writer that wakes late.
        _capacity = (long)((_delay + (2 * _queue)) / _ticksPerByte);
    }

    /// <summary>Runs until either end has gone.</summary>
    public void Start()
    {
        new Thread(Read) { IsBackground = true, Name = "link, reading" }.Start();
        new Thread(Write) { IsBackground = true, Name = "link, writing" }.Start();
    }

    private void Read()
    {
        var free = (double)Stopwatch.GetTimestamp();
        try
        {
            while (WaitForRoom())
            {
                var piece = ArrayPool<byte>.Shared.Rent(_pieceLength);
                var length = _from.Receive(piece, _pieceLength, SocketFlags.None);
                if (length == 0)
                {
                    break;
                }

                free = Math.Max(free, Stopwatch.GetTimestamp()) + (length * _ticksPerByte);
                Enqueue(piece, length, (long)free + _delay);
                FineSleep.Until((long)free - _queue);
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
        }

        lock (_underWay)
        {
            _readerEnded = true;
            Monitor.PulseAll(_underWay);
        }
    }

    private void Write()
    {
        try
        {
            while (Dequeue() is var (bytes, length, arrival) && length > 0)
            {
                FineSleep.Until(arrival);
                for (var sent = 0; sent < length;)
                {
                    sent += _to.Send(bytes, sent, length - sent, SocketFlags.None);
                }

                ArrayPool<byte>.Shared.Return(bytes);
            }

            _to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // Whoever reads at the other end learns of it.
            _from.Dispose();
        }

        lock (_underWay)
        {
            _writerEnded = true;
            Monitor.PulseAll(_underWay);
        }

        _onEnded();
    }

    private bool WaitForRoom()
    {
        lock (_underWay)
        {
            while (_bytes > _capacity && !_writerEnded)
            {
                Monitor.Wait(_underWay);
            }

            return !_writerEnded;
        }
    }

    private void Enqueue(byte[] piece, int length, long arrival)
    {
        lock (_underWay)
        {
            _underWay.Enqueue((piece, length, arrival));
            _bytes += length;
            Monitor.PulseAll(_underWay);
        }
    }

    // A length of 0 is the end.
    private (byte[] Bytes, int Length, long Arrival) Dequeue()
    {
        lock (_underWay)
        {
            while (_underWay.Count == 0 && !_readerEnded)
            {
                Monitor.Wait(_underWay);
            }

            if (!_underWay.TryDequeue(out var piece))
            {
                return ([], 0, 0);
            }

            _bytes -= piece.Length;
            Monitor.PulseAll(_underWay);
            return piece;
        }
    }
}
