using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Yamux.Tests.Abuse;

/// <summary>
/// One connection of a hostile peer: it writes whatever it likes, in large writes, and reads what comes only if it was made
/// to. Its memory is a few buffers of its own, so that what grows is the session's.
/// </summary>
internal sealed class HostileConnection : IDisposable
{
    private const int BatchSize = 64 * 1024;

    // A session that owes an answer for so long owes it for ever, however busy the machine.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly byte[] _batch = new byte[BatchSize];
    private readonly byte[] _sink = new byte[BatchSize];
    private readonly byte[] _lastFrame = new byte[Kit.Frame.HeaderSize];
    private readonly HostilePeer _peer;
    private readonly bool _reads;
    private int _length;
    private int _frames;
    private long _received;

    public HostileConnection(EndPoint victim, HostilePeer peer, bool reads)
    {
        _peer = peer;
        _reads = reads;
        _socket.NoDelay = true;
        if (!reads)
        {
            _socket.ReceiveBufferSize = 4096;
        }

        _socket.Connect(victim);
        _socket.Blocking = false;
    }

    /// <summary>How many bytes were taken of what the session has sent.</summary>
    public long Received => _received;

    /// <summary>Queues one frame, and sends what is queued when it is enough.</summary>
    public void Frame(FrameKind kind, FrameFlag flags, uint id, uint length, ReadOnlySpan<byte> payload = default)
    {
        if (_length + Kit.Frame.HeaderSize + payload.Length > BatchSize)
        {
            Send();
        }

        var bytes = _batch.AsSpan(_length);
        bytes[0] = 0;
        bytes[1] = (byte)kind;
        BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], (ushort)flags);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[4..], id);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[8..], length);
        payload.CopyTo(bytes[Kit.Frame.HeaderSize..]);
        _length += Kit.Frame.HeaderSize + payload.Length;
        _frames++;
    }

    /// <summary>Queues bytes that are not a whole frame.</summary>
    public void Raw(ReadOnlySpan<byte> bytes)
    {
        if (_length + bytes.Length > BatchSize)
        {
            Send();
        }

        bytes.CopyTo(_batch.AsSpan(_length));
        _length += bytes.Length;
    }

    /// <summary>Sends what is queued.</summary>
    public void Send()
    {
        var rest = _batch.AsSpan(0, _length);
        while (!rest.IsEmpty)
        {
            ThrowIfOver();
            var sent = _socket.Send(rest, SocketFlags.None, out var error);
            if (error is not (SocketError.Success or SocketError.WouldBlock))
            {
                throw new SessionOverException();
            }

            rest = rest[sent..];
            Read();
            if (error == SocketError.WouldBlock)
            {
                _socket.Poll(1000, SelectMode.SelectWrite);
            }
        }

        _peer.Count(_frames);
        (_length, _frames) = (0, 0);
    }

    /// <summary>Sends what is queued, and nothing more until the session is ended or the time is over.</summary>
    public void Hold()
    {
        Send();
        while (true)
        {
            ThrowIfOver();
            Read();
            _socket.Poll(10_000, _reads ? SelectMode.SelectRead : SelectMode.SelectError);
        }
    }

    /// <summary>Sends what is queued, and waits until the session has answered with so many bytes in all.</summary>
    public void SendAndWaitFor(long answerBytes)
    {
        Send();
        var waited = Stopwatch.StartNew();
        while (_received < answerBytes)
        {
            ReadAgain(waited, $"{answerBytes:N0} bytes of answers");
        }
    }

    /// <summary>
    /// Sends what is queued, waits until the session has said that it ends for a breach of the protocol, and hangs up. All
    /// that was sent has been looked at by then, if it was no more than the session allows and one. The other answers must
    /// be frames without a payload.
    /// </summary>
    public void SendAndBeThrownOut()
    {
        Send();
        var waited = Stopwatch.StartNew();
        while (_lastFrame[1] != (byte)FrameKind.GoAway || _received % Kit.Frame.HeaderSize != 0)
        {
            ReadAgain(waited, "GoAway");
        }

        throw new SessionOverException();
    }

    /// <summary>Takes at most so many bytes of what the session has sent, which a peer that does not read leaves.</summary>
    public void ReadSome(int count)
    {
        ThrowIfOver();
        var received = _socket.Receive(_sink.AsSpan(0, count), SocketFlags.None, out var error);
        if (received == 0 && error != SocketError.WouldBlock)
        {
            throw new SessionOverException();
        }

        _received += received;
    }

    public void Dispose() => _socket.Dispose();

    private void ReadAgain(Stopwatch waited, string expected)
    {
        ThrowIfOver();
        Assert.True(waited.Elapsed < Patience, $"The session still owes {expected} after {Patience.TotalSeconds} s; it has sent {_received:N0} bytes.");
        _socket.Poll(1000, SelectMode.SelectRead);
        Read();
    }

    private void Remember(ReadOnlySpan<byte> received)
    {
        received = received[Math.Max(0, received.Length - _lastFrame.Length)..];
        _lastFrame.AsSpan(received.Length).CopyTo(_lastFrame);
        received.CopyTo(_lastFrame.AsSpan(_lastFrame.Length - received.Length));
    }

    private void Read()
    {
        while (_reads)
        {
            var received = _socket.Receive(_sink, SocketFlags.None, out var error);
            if (received == 0 && error != SocketError.WouldBlock)
            {
                throw new SessionOverException();
            }

            _received += received;
            Remember(_sink.AsSpan(0, received));
            if (received < _sink.Length)
            {
                return;
            }
        }
    }

    private void ThrowIfOver()
    {
        if (_peer.IsOver)
        {
            throw new SessionOverException();
        }
    }
}
