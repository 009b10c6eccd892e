using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Backchannel.Tests.Kit;
using Microsoft.Extensions.Time.Testing;

namespace Backchannel.Tests.Links.Kit;

/// <summary>
/// A slow or far link in front of a server, on the clock that the test and the product share. It is the link that moves the clock: it carries what a step of
/// time allows, waits until both ends have looked at it and have said what they have to say to it, and goes on to the next step. So 90 seconds of a slow link
/// take as long as the work in them, and nobody is late because the machine is busy.
/// </summary>
internal sealed class SlowLink : IDisposable
{
    private const int TcpLevel = 6;
    private const int TcpMaxSegment = 2;

    private readonly Socket _listener;
    private readonly int? _segmentSize;
    private readonly FakeTimeProvider _time;
    private readonly DateTimeOffset _start;
    private readonly Func<IPEndPoint> _server;
    private readonly List<Socket> _sockets = [];
    private readonly List<LinkLine> _up = [];
    private readonly List<LinkLine> _down = [];
    private readonly ConcurrentQueue<Socket> _receivers = new();
    private volatile bool _disposed;

    /// <param name="time">The clock, which the link alone moves.</param>
    /// <param name="server">Where the server listens; asked at each connection.</param>
    /// <param name="segmentSize">Of what the ends send (TCP_MAXSEG); null: loopback's, of 64 KiB.</param>
    public SlowLink(FakeTimeProvider time, Func<IPEndPoint> server, int? segmentSize = null)
    {
        (_time, _start, _server, _segmentSize) = (time, time.GetUtcNow(), server, segmentSize);
        _listener = NewSocket();
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
    }

    /// <summary>Where clients connect to.</summary>
    public IPEndPoint Address => (IPEndPoint)_listener.LocalEndPoint!;

    /// <summary>From clients to the server.</summary>
    public LinkShape Up { get; set; } = LinkShape.Fast;

    /// <summary>From the server to clients.</summary>
    public LinkShape Down { get; set; } = LinkShape.Fast;

    /// <summary>How far the clock moves at a time.</summary>
    public TimeSpan Step { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>What stands in the link itself, as in the buffers of a router; and in steps of this size the sender sees it move. The system doubles it.</summary>
    public int BufferSize
    {
        get => _listener.ReceiveBufferSize / 2;
        init => _listener.ReceiveBufferSize = value;
    }

    /// <summary>How long the link has been there, on its own clock.</summary>
    public TimeSpan Elapsed => _time.GetUtcNow() - _start;

    /// <summary>How many bytes clients have sent through it.</summary>
    public long BytesUp { get; private set; }

    /// <summary>How many bytes the server has sent through it.</summary>
    public long BytesDown { get; private set; }

    /// <summary>Tells of a socket that an end receives from: what was delivered is waited for until it has been read.</summary>
    public void Watch(Socket socket) => _receivers.Enqueue(socket);

    /// <summary>Carries what there is until the task has ended. Time passes only while there is something to carry.</summary>
    public async Task CarryAsync(Task until)
    {
        await OnOwnThreadAsync(() =>
        {
            while (!until.IsCompleted && !_disposed)
            {
                Rest();
                if (HasWork)
                {
                    Advance();
                }
            }
        });
        await until;
    }

    /// <summary>Carries what there is until the task has ended, and returns what it did.</summary>
    public async Task<T> CarryAsync<T>(Task<T> until)
    {
        await CarryAsync((Task)until);
        return await until;
    }

    /// <summary>Lets so much time pass, whether there is anything to carry or not.</summary>
    public Task PassAsync(TimeSpan time)
    {
        var end = _time.GetUtcNow() + time;
        return OnOwnThreadAsync(() =>
        {
            Rest();
            while (_time.GetUtcNow() < end && !_disposed)
            {
                Advance();
                Rest();
            }
        });
    }

    public void Dispose()
    {
        _disposed = true;
        _listener.Dispose();
        _sockets.ForEach(socket => socket.Dispose());
    }

    private bool HasWork => (!Up.IsFrozen && _up.Exists(line => line.HasWork)) || (!Down.IsFrozen && _down.Exists(line => line.HasWork));

    // Not on the pool, which would never rest then.
    private static Task OnOwnThreadAsync(Action action) => Task.Factory.StartNew(action, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Guarded();

    private Socket NewSocket()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (_segmentSize is { } size)
        {
            socket.SetRawSocketOption(TcpLevel, TcpMaxSegment, BitConverter.GetBytes(size));
        }

        return socket;
    }

    private void Advance()
    {
        BytesUp += Take(_up, Up);
        BytesDown += Take(_down, Down);
        _time.Advance(Step);
        Deliver(_up, Up);
        Deliver(_down, Down);
    }

    private long Take(List<LinkLine> lines, LinkShape shape)
    {
        var limit = (int)(shape.BytesPerSecond * Step.TotalSeconds);
        var left = limit;
        foreach (var line in lines)
        {
            left -= line.Take(left, _time.GetUtcNow() + Step + shape.Delay);
        }

        return limit - left;
    }

    private void Deliver(List<LinkLine> lines, LinkShape shape)
    {
        if (!shape.IsFrozen)
        {
            lines.ForEach(line => line.Deliver(_time.GetUtcNow()));
        }
    }

    // Until both ends have read what was delivered, and have nothing more to do.
    private void Rest()
    {
        do
        {
            Accept();
            Stillness.Wait(() => _disposed || _receivers.All(HasReadAll));
        }
        while (_listener.Poll(0, SelectMode.SelectRead) && !_disposed);
    }

    private void Accept()
    {
        while (_listener.Poll(0, SelectMode.SelectRead))
        {
            var client = _listener.Accept();
            client.NoDelay = true;
            var server = NewSocket();
            server.ReceiveBufferSize = BufferSize;
            server.Connect(_server());
            _sockets.AddRange([client, server]);
            _up.Add(new LinkLine(client, server));
            _down.Add(new LinkLine(server, client));
        }
    }

    private static bool HasReadAll(Socket receiver)
    {
        try
        {
            return receiver.Available == 0;
        }
        catch (ObjectDisposedException)
        {
            return true;
        }
        catch (SocketException)
        {
            return true;
        }
    }
}
