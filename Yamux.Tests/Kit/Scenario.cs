using System.IO.Pipelines;

namespace Yamux.Tests.Kit;

/// <summary>
/// A session of the engine and a <see cref="ScriptedPeer"/> on an in-memory connection. Time stands still unless the test
/// moves it, the keepalive is off and windows are fixed unless the test says otherwise, and a warning in the log fails the test.
/// </summary>
public sealed class Scenario : IAsyncDisposable
{
    private readonly TimeSpan _writeTimeout;
    private readonly List<Task> _lasting = [];

    private Scenario(YamuxRole role, Action<YamuxOptions>? configure, PipeOptions? fromSession, bool oneByteAtATime)
    {
        var options = new YamuxOptions { TimeProvider = Time, EnableKeepAlive = false };
        options.FixWindows(262_144);
        configure?.Invoke(options);
        _writeTimeout = options.ConnectionWriteTimeout;
        var (ours, theirs) = DuplexPipe.CreatePair(fromSession, oneByteAtATime ? DuplexPipe.Rendezvous : null);
        Peer = new ScriptedPeer(theirs, oneByteAtATime);
        Session = YamuxSession.Create(ours, role, options, Log);
    }

    public TestTime Time { get; } = new();

    public CollectingLogger Log { get; } = new();

    public YamuxSession Session { get; }

    public ScriptedPeer Peer { get; }

    public bool ExpectsWarnings { get; set; }

    /// <summary>The session is the client: its streams are 1, 3, 5 …, the peer's 2, 4, 6 …</summary>
    public static Scenario Client(Action<YamuxOptions>? configure = null, PipeOptions? fromSession = null, bool oneByteAtATime = false)
        => new(YamuxRole.Client, configure, fromSession, oneByteAtATime);

    /// <summary>The session is the server: its streams are 2, 4, 6 …, the peer's 1, 3, 5 …</summary>
    public static Scenario Server(Action<YamuxOptions>? configure = null, PipeOptions? fromSession = null, bool oneByteAtATime = false)
        => new(YamuxRole.Server, configure, fromSession, oneByteAtATime);

    /// <summary>A session whose connection takes a write only as the peer reads it.</summary>
    public static Scenario Stalled(YamuxRole role = YamuxRole.Client, Action<YamuxOptions>? configure = null)
        => new(role, configure, DuplexPipe.Rendezvous, oneByteAtATime: false);

    /// <summary>
    /// Waits until ConnectionWriteTimeout runs: what was written has reached a transport that does not take it. There must be
    /// no earlier timer, and no earlier write at the same time: <see cref="ScriptedPeer.PeekAsync"/> tells of the one that is under way.
    /// </summary>
    public Task WriteStartedAsync() => Time.TimerSetAsync(_writeTimeout);

    /// <summary>The session opens a stream, and the peer acknowledges it.</summary>
    public async Task<YamuxStream> OpenAsync(uint credit = 0)
    {
        var stream = await OpenUnacknowledgedAsync();
        await Peer.SendAsync(Frame.Ack(stream.Id, credit));
        return stream;
    }

    /// <summary>The session opens a stream, sends all that a fixed window takes, and has a few bytes left that it has not flushed.</summary>
    public async Task<(YamuxStream Stream, int Left)> OpenFilledAsync()
    {
        const int Window = 262_144;
        const int Left = 20;
        var stream = await OpenAsync();
        await stream.Output.WriteAsync(new byte[Window]).Guarded();
        await Peer.ReadDataAsync(stream.Id, Window);
        stream.Output.GetSpan(Left);
        stream.Output.Advance(Left);
        return (stream, Left);
    }

    /// <summary>The session opens a stream, which the peer does not acknowledge.</summary>
    public async Task<YamuxStream> OpenUnacknowledgedAsync()
    {
        var stream = await Session.OpenStreamAsync().Guarded();
        var syn = await Peer.ReadAsync();
        Assert.Equal((FrameKind.WindowUpdate, FrameFlag.Syn, stream.Id), (syn.Kind, syn.Flags, syn.StreamId));
        return stream;
    }

    /// <summary>The peer opens a stream, and the session accepts it.</summary>
    public async Task<YamuxStream> AcceptAsync(uint id, uint credit = 0)
    {
        await Peer.SendAsync(Frame.Syn(id, credit));
        return await AcceptOpenedAsync(id);
    }

    /// <summary>The session accepts a stream whose SYN the peer has sent.</summary>
    public async Task<YamuxStream> AcceptOpenedAsync(uint id)
    {
        var stream = await Session.AcceptStreamAsync().Guarded();
        Assert.NotNull(stream);
        Assert.Equal(id, stream.Id);
        var ack = await Peer.ReadAsync();
        Assert.Equal((FrameKind.WindowUpdate, FrameFlag.Ack, id), (ack.Kind, ack.Flags, ack.StreamId));
        return stream;
    }

    /// <summary>
    /// An operation that the test leaves as it is: it ends with the session, whether well or not. Without this its failure
    /// would be found by a test that looks for exceptions that nobody has seen.
    /// </summary>
    public Task EndsWithSession<T>(ValueTask<T> operation)
    {
        var task = operation.AsTask();
        _lasting.Add(task);
        return task;
    }

    /// <summary>The peer has broken the protocol: it is told so, the connection closes, and everything fails with the reason.</summary>
    public async Task<YamuxException> ExpectProtocolErrorAsync(string messagePart)
    {
        await Peer.ExpectCloseAsync(1);
        var error = await Guard.FailsWithAsync(YamuxErrorCode.ProtocolError, Session.Completion);
        Assert.Contains(messagePart, error.Message, StringComparison.Ordinal);
        await Guard.FailsWithAsync(YamuxErrorCode.ProtocolError, Session.OpenStreamAsync());
        Assert.Equal(0, Session.StreamCount);
        return error;
    }

    public async ValueTask DisposeAsync()
    {
        Session.Abort();
        await Guard.EndedAsync(Task.WhenAll([Session.Completion, .. _lasting]));
        if (!ExpectsWarnings)
        {
            Log.AssertNoWarnings();
        }
    }
}
