using Backchannel.Tests.Kit;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;
using Yamux;

namespace Backchannel.Tests.Sharing;

/// <summary>What the pool makes of a server that does not take a further stream, of which a host shows no more than its connections.</summary>
public sealed class SessionPoolTests : IAsyncDisposable
{
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(5);

    // A window update of 0 bytes with ACK, for stream 1.
    private static readonly byte[] AckOfFirst = [0, 1, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0];

    private readonly FakeTimeProvider _time = new();
    private readonly StreamListener _listener = new();
    private readonly List<(YamuxSession Client, YamuxSession? Server)> _sessions = [];
    private readonly List<HostedSession> _hosted = [];
    private readonly SessionPool _pool;

    public SessionPoolTests() => _pool = new SessionPool(_time);

    public async ValueTask DisposeAsync()
    {
        foreach (var (client, server) in _sessions)
        {
            client.Abort();
            server?.Abort();
        }

        await _listener.DisposeAsync();
    }

    [Fact]
    public async Task A_server_that_takes_one_stream_alone_is_asked_once()
    {
        var first = await LendAsync();
        await using var second = await AskInVainAsync();
        Assert.Equal(2, _sessions.Count);
        Assert.Null(_hosted[0].DrainReason);
        await first.DisposeAsync();
        Assert.NotNull(_hosted[0].DrainReason); // What was asked for in vain does not hold it.
        await Guard.Until(() => _sessions[0].Server!.StreamCount <= 1, "what was asked for in vain is taken back");

        // If the answer to the ping was seen in time; else it is asked once more.
        await Guard.Until(async () =>
        {
            var asking = LendAsync();
            if (asking.IsCompleted)
            {
                return true;
            }

            await AnswerAsync(asking);
            return false;
        }, "it is not asked any more");
    }

    [Fact]
    public async Task A_server_that_answers_nothing_is_not_taken_for_one_that_takes_one_stream()
    {
        await using var first = await LendAsync(server: false);
        var asking = LendAsync();
        await Guard.Until(() => _sessions[0].Client.StreamCount == 2, "the second is asked for");

        await Guard.Until(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(1)); // As long as a ping may take.
            return asking.IsCompleted;
        }, "the first server is given up");
        await using var second = await asking;
        var sharing = LendAsync();
        Assert.NotNull(await _sessions[1].Server!.AcceptStreamAsync().Guarded());
        await using var third = await sharing.Guarded();

        Assert.Equal(2, _sessions.Count);
    }

    [Fact]
    public async Task A_server_that_refuses_a_stream_gets_no_further_connection()
    {
        await using var first = await LendAsync();
        var asking = LendAsync();

        (await _sessions[0].Server!.AcceptStreamAsync().Guarded())!.Abort();
        await using var refused = await asking.Guarded();

        Assert.Single(_sessions);
    }

    [Fact]
    public async Task A_server_that_refuses_a_stream_without_having_taken_it_gets_no_further_connection()
    {
        await using var first = await LendAsync(backlog: 1);
        await using var waiting = await _sessions[0].Client.OpenStreamAsync().Guarded();

        await using var refused = await LendAsync().Guarded();

        Assert.Single(_sessions);
    }

    [Fact]
    public async Task A_server_that_has_not_taken_the_first_stream_yet_is_waited_for()
    {
        await using var first = await LendAsync(takesFirst: false);
        var asking = LendAsync();

        _time.Advance(10 * AnswerLimit);
        Assert.False(asking.IsCompleted);
        Assert.NotNull(await _sessions[0].Server!.AcceptStreamAsync().Guarded());
        Assert.NotNull(await _sessions[0].Server!.AcceptStreamAsync().Guarded());
        await using var second = await asking.Guarded();

        Assert.Single(_sessions);
    }

    [Fact]
    public async Task A_server_that_never_takes_the_first_stream_is_given_up_with_it()
    {
        await using var first = await LendAsync(takesFirst: false);
        var asking = LendAsync();

        _sessions[0].Client.Abort(); // As it is after ConnectTimeout.
        await using var second = await asking.Guarded();

        Assert.Equal(2, _sessions.Count);
    }

    [Fact]
    public async Task A_place_is_forgotten_when_its_session_has_ended_and_nobody_connects()
    {
        await using var lent = await LendAsync();
        Assert.Equal(1, _pool.Count);
        _sessions[0].Client.Abort();
        await _sessions[0].Client.Completion.Guarded();

        _pool.OnEnded(Key);
        Assert.Equal(0, _pool.Count);
        await Assert.ThrowsAsync<IOException>(() => _pool.LendAsync(Key, _ => throw new IOException("test"), default).AsTask());

        Assert.Equal(0, _pool.Count);
    }

    private async Task<Stream> AskInVainAsync()
    {
        var asking = LendAsync();
        Assert.False(asking.IsCompleted);
        return await AnswerAsync(asking);
    }

    // The server answers the ping, and does not take the stream.
    private async Task<Stream> AnswerAsync(Task<Stream> asking)
    {
        await _sessions[^1].Client.PingAsync(TestContext.Current.CancellationToken).Guarded();
        _time.Advance(AnswerLimit);
        return await asking.Guarded();
    }

    private static ConnectionKey Key => new("http", "localhost", 80, null, null, null, null, null, null, null);

    private async Task<Stream> LendAsync(bool server = true, int backlog = 256, bool takesFirst = true) => (await _pool.LendAsync(
        Key,
        async token =>
        {
            var (near, far) = DuplexPipe.CreatePair();
            var options = new BackchannelHostOptions();
            options.Yamux.TimeProvider = _time;
            options.Yamux.EnableKeepAlive = false;
            options.Yamux.PingTimeout = TimeSpan.FromSeconds(1);
            var session = YamuxSession.Create(near, YamuxRole.Client, options.Yamux);
            var peer = server ? YamuxSession.Create(far, YamuxRole.Server, new YamuxOptions { EnableKeepAlive = false, AcceptBacklog = backlog }) : null;
            _sessions.Add((session, peer));
            var hosted = new HostedSession(session, "test", _listener, NullLogger.Instance, options, isTls: false);
            _hosted.Add(hosted);
            var (lent, first) = await hosted.LendFirstAsync(token);
            if (!server)
            {
                var syn = await far.Input.ReadAtLeastAsync(AckOfFirst.Length, token).Guarded(); // No peer acknowledges what it has not seen.
                far.Input.AdvanceTo(syn.Buffer.End);
                await far.Output.WriteAsync(AckOfFirst, token); // And nothing after it.
                await first.Acknowledged.Guarded();
            }
            else if (takesFirst)
            {
                Assert.NotNull(await peer!.AcceptStreamAsync(token).Guarded());
                await first.Acknowledged.Guarded();
            }

            return (hosted, lent);
        },
        TestContext.Current.CancellationToken)).Stream;
}
