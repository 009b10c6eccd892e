using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Yamux.Tests.Abuse;

/// <summary>A server with default options and the system's clock, that runs the same application on every session.</summary>
internal sealed class Victim : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly ConcurrentDictionary<YamuxSession, CountingLogger> _live = new();
    private readonly ConcurrentDictionary<string, int> _endings = new();
    private readonly Func<YamuxSession, Task> _application;
    private readonly bool _smallBuffers;
    private readonly Task _accepting;
    private int _mostLines;
    private int _warnings;

    /// <param name="application">Runs on every session.</param>
    /// <param name="smallBuffers">Whether what the peer does not read waits in the session soon, and not in the kernel.</param>
    public Victim(Func<YamuxSession, Task> application, bool smallBuffers)
    {
        _application = application;
        _smallBuffers = smallBuffers;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(512);
        _accepting = AcceptAsync();
    }

    public EndPoint EndPoint => _listener.LocalEndPoint!;

    /// <summary>How many sessions have not ended, or not released everything.</summary>
    public int Live => _live.Count;

    /// <summary>How sessions have ended, and how often.</summary>
    public IReadOnlyDictionary<string, int> Endings => _endings;

    /// <summary>How many lines the session with the most of them has logged, at any level.</summary>
    public int MostLines => _live.Values.Select(log => log.Lines).Append(Volatile.Read(ref _mostLines)).Max();

    public int Warnings => _live.Values.Sum(log => log.Warnings) + Volatile.Read(ref _warnings);

    /// <summary>Waits until the sessions, whose peers have gone, have ended.</summary>
    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _accepting.Guarded();
        foreach (var session in _live.Keys)
        {
            session.Abort();
        }

        while (!_live.IsEmpty)
        {
            await Task.Delay(10).Guarded();
        }
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            Socket socket;
            try
            {
                socket = await _listener.AcceptAsync();
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                return; // Disposed.
            }

            socket.NoDelay = true;
            if (_smallBuffers)
            {
                socket.SendBufferSize = 16 * 1024;
            }

            var log = new CountingLogger();
            var session = YamuxSession.Create(new NetworkStream(socket, ownsSocket: true), YamuxRole.Server, options: null, log);
            _live[session] = log;
            _ = Task.Run(() => RunAsync(session, log));
        }
    }

    private async Task RunAsync(YamuxSession session, CountingLogger log)
    {
        var ending = "closed";
        try
        {
            await _application(session);
            await session.Completion;
        }
        catch (YamuxException error)
        {
            ending = error.ErrorCode.ToString();
        }
        catch (Exception error)
        {
            ending = error.ToString();
        }

        _endings.AddOrUpdate(ending, 1, static (_, count) => count + 1);
        lock (_listener)
        {
            _mostLines = Math.Max(_mostLines, log.Lines);
            _warnings += log.Warnings;
        }

        _live.TryRemove(session, out _);
    }
}
