using System.Net.Sockets;
using Benchmarks.Soak.Streams;
using Benchmarks.Soak.Watching;
using Yamux;

namespace Benchmarks.Soak.Sessions;

/// <summary>Both ends of a session. Each end accepts what the other opens.</summary>
internal sealed class SessionPair
{
    /// <summary>Short, so that streams that one end neglects meet it.</summary>
    public static readonly TimeSpan StreamCloseTimeout = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Shorter than the pool of threads is starved: who is late himself must not call the peer silent. Not so short that both ends, which take turns on the same processors with all that was starved, cannot
    /// answer each other in it.
    /// </summary>
    public static readonly TimeSpan LittlePatience = TimeSpan.FromSeconds(3);

    private const int ManyStreams = 1 << 20;

    private readonly SoakContext _context;
    private readonly Socket _socket;
    private readonly Task _accepting;
    private readonly int _maxStreams;
    private int _entered;
    private volatile bool _draining;
    private volatile bool _doomed;

    private SessionPair(SoakContext context, string name, ConnectedSession session, int maxStreams, ref RandomSequence random)
    {
        _context = context;
        _maxStreams = maxStreams;
        (Client, Server, _socket) = session;
        Name = name;
        context.Leftovers.Track(Client, $"the client of session {name}");
        context.Leftovers.Track(Server, $"the server of session {name}");
        _accepting = Task.WhenAll(AcceptAsync(Client, random.Next()), AcceptAsync(Server, random.Next()));
    }

    public string Name { get; }

    public YamuxSession Client { get; }

    public YamuxSession Server { get; }

    /// <summary>Whether one of the ends takes no new streams.</summary>
    public bool IsDraining => _draining;

    /// <summary>Whether the session is being ended, or has ended. It must not end before.</summary>
    public bool IsDoomed => _doomed;

    public int StreamCount => Client.StreamCount + Server.StreamCount;

    public static async Task<SessionPair> ConnectAsync(SoakContext context, string name, ITransport transport, ulong seed, CancellationToken cancellationToken)
    {
        var random = new RandomSequence(seed);
        var session = await transport.ConnectAsync(NewOptions(ref random, transport.LeastPatience), NewOptions(ref random, transport.LeastPatience), context.Logger, cancellationToken);
        return new SessionPair(context, name, session, transport.MaxStreams, ref random);
    }

    /// <summary>Takes the place of a stream that is to be opened. False if all are taken.</summary>
    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _entered) <= _maxStreams)
        {
            return true;
        }

        Leave();
        return false;
    }

    public void Leave() => Interlocked.Decrement(ref _entered);

    /// <summary>Ends the session in this way, and waits until nothing is left of it.</summary>
    public async Task EndAsync(PairEnding ending, bool atClient)
    {
        var (one, other) = atClient ? (Client, Server) : (Server, Client);
        if (ending == PairEnding.Drain)
        {
            _draining = true;
            await one.GoAwayAsync();
            await InTimeAsync(WaitForStreamsAsync(), "was not rid of its streams after GoAway");
            ending = PairEnding.DisposeBoth;
        }

        _doomed = true;
        switch (ending)
        {
            case PairEnding.DisposeOne:
                await InTimeAsync(one.DisposeAsync().AsTask(), "was not disposed");
                break;
            case PairEnding.DisposeBoth:
                await InTimeAsync(Task.WhenAll(one.DisposeAsync().AsTask(), other.DisposeAsync().AsTask()), "was not disposed");
                break;
            case PairEnding.AbortOne:
                one.Abort();
                break;
            case PairEnding.AbortOneWithReason:
                one.Abort(new InvalidOperationException("the soak wants it"));
                break;
            default:
                _socket.Close(0);
                break;
        }

        await InTimeAsync(Task.WhenAll(EndAsync(Client), EndAsync(Server)), "did not end");
        await InTimeAsync(_accepting, "went on accepting");
    }

    public override string ToString()
        => $"session {Name} ({Client.StreamCount} streams at the client, {Server.StreamCount} at the server)";

    private static YamuxOptions NewOptions(ref RandomSequence random, TimeSpan leastPatience)
    {
        var patience = random.OneIn(3) ? leastPatience : SoakSettings.HangLimit / 2;
        return new()
        {
            // Of all sizes, and one in fifteen fixed.
            InitialStreamWindowSize = 256 * 1024 << random.Next(3),
            MaxStreamWindowSize = 1024 * 1024 << random.Next(5),

            // The soak resets far more than a peer may, and opens as many as it is told to.
            MaxInboundStreams = ManyStreams,
            MaxEarlyResets = ManyStreams,
            StreamCloseTimeout = StreamCloseTimeout,
            ConnectionWriteTimeout = patience,
            KeepAliveInterval = TimeSpan.FromSeconds(1 + random.Next(5)),
            KeepAliveTimeout = patience,
        };
    }

    private static async Task EndAsync(YamuxSession session)
    {
        await session.Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (session.Completion.Exception?.InnerException is { } error
            and not YamuxException { ErrorCode: YamuxErrorCode.SessionClosed or YamuxErrorCode.ConnectionLost })
        {
            throw error;
        }

        await session.DisposeAsync();
    }

    private static async Task InTimeAsync(Task task, string otherwise)
    {
        try
        {
            await task.WaitAsync(SoakSettings.HangLimit);
        }
        catch (TimeoutException)
        {
            throw new HangException($"it {otherwise} within {SoakSettings.HangLimit.TotalSeconds:0} s");
        }
    }

    private async Task WaitForStreamsAsync()
    {
        while (StreamCount > 0)
        {
            await Task.Delay(10);
        }
    }

    private async Task AcceptAsync(YamuxSession session, ulong seed)
    {
        await Task.Yield();
        var random = new RandomSequence(seed);
        try
        {
            while (true)
            {
                using var cancel = random.OneIn(16) ? new CancellationTokenSource(TimeSpan.FromMilliseconds(random.Next(3))) : null;
                YamuxStream? stream;
                try
                {
                    stream = await session.AcceptStreamAsync(cancel?.Token ?? CancellationToken.None);
                }
                catch (OperationCanceledException) when (cancel is not null)
                {
                    Interlocked.Increment(ref _context.Totals.Cancelled);
                    continue;
                }
                catch (YamuxException) when (_doomed)
                {
                    break; // It was ended as a failure.
                }

                if (stream is null)
                {
                    break;
                }

                _context.Gate.Enter();
                _ = Task.Run(() => RunAcceptorAsync(session, stream));
            }

            if (!_doomed)
            {
                await session.Completion;
                _context.Failure.Report($"{this}: the {session.Role} ended, and nobody had ended it");
            }
        }
        catch (Exception error)
        {
            _context.Failure.Report(ToString(), error);
        }
    }

    private async Task RunAcceptorAsync(YamuxSession session, YamuxStream stream)
    {
        await new Acceptor(_context, this, session, stream).RunAsync();
        _context.Gate.Exit();
    }
}
