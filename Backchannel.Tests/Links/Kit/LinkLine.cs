using System.Net.Sockets;

namespace Backchannel.Tests.Links.Kit;

/// <summary>One direction of one connection. It takes from the sender what the link carries, and no more, so that the rest stands in the sender's own buffers.</summary>
internal sealed class LinkLine(Socket from, Socket to)
{
    private readonly Queue<(DateTimeOffset Arrival, byte[] Bytes)> _underWay = new();
    private bool _closed;
    private bool _ended;

    /// <summary>Whether there is anything to carry: bytes, or the end of them.</summary>
    public bool HasWork => !_ended && (_underWay.Count > 0 || (!_closed && IsReadable(from)));

    /// <summary>Takes at most this many bytes from the sender, to arrive later. Returns how many there were.</summary>
    public int Take(int limit, DateTimeOffset arrival)
    {
        var left = limit;
        while (left > 0 && !_closed && IsReadable(from))
        {
            var bytes = new byte[Math.Min(left, Math.Max(from.Available, 1))];
            var count = Receive(bytes);
            _underWay.Enqueue((arrival, bytes[..count])); // Nothing: the end.
            _closed = count == 0;
            left -= count;
        }

        return limit - left;
    }

    /// <summary>Gives the receiver what has arrived.</summary>
    public void Deliver(DateTimeOffset now)
    {
        while (!_ended && _underWay.TryPeek(out var first) && first.Arrival <= now)
        {
            _underWay.Dequeue();
            try
            {
                if (first.Bytes.Length == 0)
                {
                    _ended = true;
                    to.Shutdown(SocketShutdown.Send);
                }

                for (var sent = 0; sent < first.Bytes.Length;)
                {
                    sent += to.Send(first.Bytes.AsSpan(sent));
                }
            }
            catch (SocketException)
            {
                _ended = true; // The receiver has gone. The sender learns it from the other direction.
            }
        }
    }

    private int Receive(byte[] bytes)
    {
        try
        {
            return from.Receive(bytes);
        }
        catch (SocketException)
        {
            return 0; // Reset, which ends it too.
        }
    }

    private static bool IsReadable(Socket socket) => socket.Poll(0, SelectMode.SelectRead);
}
