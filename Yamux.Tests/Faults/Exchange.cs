using System.Collections.Concurrent;
using Xunit;
using Yamux.Tests.Kit;

namespace Yamux.Tests.Faults;

/// <summary>
/// Two sessions that do together all that sessions do, step by step: each step waits until the other end has seen it, so the
/// same bytes pass every time. More than <see cref="Interesting"/> bytes pass in each direction in small frames, so that a
/// fault at each offset cuts every kind of frame in every place.
/// </summary>
internal sealed class Exchange
{
    /// <summary>How many offsets of each direction there are to try.</summary>
    public const int Interesting = 2000;

    private const int MaxUnacknowledged = 4;
    private readonly ConcurrentQueue<Task> _waiting = new();
    private readonly FaultSide? _stalls;

    private Exchange(IFaultyEnd client, IFaultyEnd server)
    {
        _stalls = (client.Fault ?? server.Fault) is { Kind: FaultKind.Stall, Side: var side } ? side : null;
        Client = Create(client, YamuxRole.Client);
        Server = Create(server, YamuxRole.Server);
    }

    public CollectingLogger Log { get; } = new();

    public Party Client { get; }

    public Party Server { get; }

    /// <summary>What was begun and not awaited; after the end of both sessions all of it must have ended.</summary>
    public IEnumerable<Task> Waiting => _waiting;

    public static async Task<Exchange> ConnectAsync(FaultyConnect connect, TransportFault? clientFault, TransportFault? serverFault)
    {
        var (client, server) = await connect(clientFault, serverFault);
        return new Exchange(client, server);
    }

    public async Task RunAsync()
    {
        var idle = await OpenAsync(Client, Server);
        Await(idle.Near.ReceiveEndAsync());
        Await(idle.Far.ReceiveEndAsync());
        var talk = await OpenAsync(Client, Server);
        await SmallTalkAsync(talk.Near, talk.Far, 6);
        await PingAsync();
        var called = await OpenAsync(Server, Client);
        await SmallTalkAsync(called.Near, called.Far, 4);
        await HalfCloseAsync();
        await ResetAsync(Client, Server);
        await ResetAsync(Server, Client);
        await OpenTooManyAsync();
        await SayUntilAsync(talk.Near, talk.Far, Client, Interesting * 3 / 4);
        await GoAwayAsync();
        await SayUntilAsync(talk.Near, talk.Far, Client, Interesting + 100);
        await Task.WhenAll(SayAsync(talk.Near, talk.Far, 300_000));
        await SayUntilAsync(called.Near, called.Far, Server, Interesting * 3 / 4);
        await Server.Session.GoAwayAsync();
        await SayUntilAsync(called.Near, called.Far, Server, Interesting + 100);
        await FinishAsync(called.Near, called.Far);
        await FinishAsync(talk.Far, talk.Near);
        idle.Near.Finish();
        idle.Far.Finish();
        await Task.WhenAll(_waiting);
        await PingAsync();
        Assert.Equal((0, 0), (Client.Session.StreamCount, Server.Session.StreamCount));
        await Client.Session.DisposeAsync();
        await Server.Session.Completion;
    }

    private Party Create(IFaultyEnd end, YamuxRole role)
    {
        // Only the end with the fault has a keepalive, so that it is always that one which finds out.
        // A ping has no timer, so that the only ones of ten seconds are those that a test waits for.
        // Where something stalls the clock may have to go far, for what else moves gives it its time again: no other time may end then.
        var time = new TestTime();
        var defaults = new YamuxOptions();
        var options = new YamuxOptions
        {
            StreamOpenTimeout = _stalls is null ? defaults.StreamOpenTimeout : Timeout.InfiniteTimeSpan,
            StreamCloseTimeout = _stalls is null ? defaults.StreamCloseTimeout : Timeout.InfiniteTimeSpan,
            ConnectionWriteTimeout = _stalls == FaultSide.Read ? TimeSpan.FromDays(40) : defaults.ConnectionWriteTimeout,
            TimeProvider = time,
            EnableKeepAlive = end.Fault is not null && _stalls != FaultSide.Write,
            PingTimeout = Timeout.InfiniteTimeSpan,
            MaxUnacknowledgedStreams = MaxUnacknowledged,
        };
        return new Party(end.CreateSession(role, options, Log), end, time);
    }

    private void Await(Task task) => _waiting.Enqueue(task);

    private async Task<(Endpoint Near, Endpoint Far)> OpenAsync(Party from, Party to)
    {
        var accept = to.AcceptAsync();
        Await(accept);
        var near = await from.OpenAsync();
        var far = await accept ?? throw new YamuxException(YamuxErrorCode.ConnectionLost, "The session has ended.");
        return (near, far);
    }

    private static async Task SayAsync(Endpoint from, Endpoint to, int count)
    {
        var received = to.ReceiveAsync(from.Sent + count);
        await Task.WhenAll(from.SendAsync(count), received);
    }

    private static async Task SmallTalkAsync(Endpoint near, Endpoint far, int rounds)
    {
        for (var i = 1; i <= rounds; i++)
        {
            await SayAsync(near, far, 3 * i);
            await SayAsync(far, near, i);
        }
    }

    private static async Task SayUntilAsync(Endpoint from, Endpoint to, Party sender, long written)
    {
        for (var i = 0; sender.Transport.Written < written; i++)
        {
            await SayAsync(from, to, 1 + (i % 40));
        }
    }

    private async Task PingAsync()
    {
        await Client.Session.PingAsync();
        await Server.Session.PingAsync();
    }

    private async Task HalfCloseAsync()
    {
        var (near, far) = await OpenAsync(Client, Server);
        await near.SendAsync(20);
        near.Finish();
        await far.ReceiveEndAsync();
        await SayAsync(far, near, 15);
        await SayAsync(far, near, 16);
        await FinishAsync(far, near);
    }

    private static async Task FinishAsync(Endpoint from, Endpoint to)
    {
        await from.SendAsync(5);
        from.Finish();
        await to.ReceiveEndAsync();
        if (!to.IsFinished)
        {
            to.Finish();
            await from.ReceiveEndAsync();
        }
    }

    private async Task ResetAsync(Party from, Party to)
    {
        var (near, far) = await OpenAsync(from, to);
        await SayAsync(near, far, 9);
        await SayAsync(far, near, 8);
        await near.SendAsync(7);
        near.Abort();
        await ExpectAsync(YamuxErrorCode.StreamReset, far.ReceiveEndAsync());
    }

    // One more than may be unacknowledged: the last one waits until the server accepts.
    private async Task OpenTooManyAsync()
    {
        var opens = new List<Task<Endpoint>>();
        for (var i = 0; i <= MaxUnacknowledged; i++)
        {
            var open = Client.OpenAsync();
            Await(open);
            opens.Add(open);
        }

        foreach (var open in opens)
        {
            var far = await Server.AcceptAsync() ?? throw new YamuxException(YamuxErrorCode.ConnectionLost, "The session has ended.");
            var near = await open;
            await SayAsync(near, far, 10);
            await FinishAsync(far, near);
        }
    }

    private async Task GoAwayAsync()
    {
        await Client.Session.GoAwayAsync();
        await PingAsync();
        await ExpectAsync(YamuxErrorCode.GoAway, Server.OpenAsync());
        await ExpectAsync(YamuxErrorCode.GoAway, Client.OpenAsync());
    }

    // Another failure than the one that belongs to the exchange is the fault's.
    private static async Task ExpectAsync(YamuxErrorCode code, Task task)
    {
        try
        {
            await task;
        }
        catch (YamuxException error) when (error.ErrorCode == code)
        {
            return;
        }

        Assert.Fail($"It should have failed with {code}.");
    }
}
