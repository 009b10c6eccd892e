using System.IO.Pipelines;
using System.Text;
using Backchannel.Tests.Kit;
using ListenMux;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Backchannel.Tests;

public sealed class ListenMuxTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly TestLog _log = new();

    public void Dispose() => _log.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData("tenletters")]
    [InlineData("twelveletter")]
    public void A_magic_of_another_length_is_refused_at_registration(string magic)
    {
        var error = Assert.Throws<ArgumentException>(
            () => Build(mux => mux.Map(Encoding.ASCII.GetBytes(magic), (_, _) => Task.CompletedTask), _ => Task.CompletedTask));

        Assert.Contains($"\"{magic}\" has {magic.Length} bytes; it must have 11", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_magic_that_is_registered_twice_is_refused()
    {
        var error = Assert.Throws<ArgumentException>(() => Build(
            mux => mux.Map("sidechannel"u8, (_, _) => Task.CompletedTask).Map("sidechannel"u8, (_, _) => Task.CompletedTask),
            _ => Task.CompletedTask));

        Assert.Contains("\"sidechannel\" is registered already", error.Message, StringComparison.Ordinal);
    }

    public static TheoryData<TimeSpan> TimesThatAreNone => [TimeSpan.Zero, TimeSpan.FromTicks(-1), TimeSpan.MinValue, TimeSpan.FromMilliseconds(uint.MaxValue), TimeSpan.MaxValue];

    [Theory]
    [MemberData(nameof(TimesThatAreNone))]
    public void A_timeout_that_is_no_time_is_refused(TimeSpan time)
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => Build(mux => mux.HandshakeTimeout = time, _ => Task.CompletedTask));

        Assert.Contains(
            $"HandshakeTimeout is {time}; it must be more than 0 and at most {TimeSpan.FromMilliseconds(uint.MaxValue - 1)}, or Timeout.InfiniteTimeSpan", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_timeout_of_a_tick_or_of_the_longest_is_taken()
    {
        foreach (var time in new[] { TimeSpan.FromTicks(1), TimeSpan.FromMilliseconds(uint.MaxValue - 1), Timeout.InfiniteTimeSpan })
        {
            Build(
                mux =>
                {
                    Assert.Equal(TimeSpan.FromSeconds(120), mux.HandshakeTimeout);
                    mux.HandshakeTimeout = time;
                    Assert.Equal(time, mux.HandshakeTimeout);
                },
                _ => Task.CompletedTask);
        }
    }

    [Fact]
    public void Nothing_is_no_handler_no_clock_and_no_endpoint()
    {
        Assert.Throws<ArgumentNullException>(() => Build(mux => mux.Map("sidechannel"u8, null!), _ => Task.CompletedTask));
        Assert.Throws<ArgumentNullException>(() => Build(mux => mux.TimeProvider = null!, _ => Task.CompletedTask));
        Assert.Throws<ArgumentNullException>(() => new ConnectionBuilder(new ServiceCollection().BuildServiceProvider()).UseListenMux(null!));
        Assert.Throws<ArgumentNullException>(() => default(IConnectionBuilder)!.UseListenMux(_ => { }));
    }

    [Fact]
    public void A_magic_that_cannot_be_printed_is_told_in_hexadecimal()
    {
        var error = Assert.Throws<ArgumentException>(() => Build(mux => mux.Map("a \x7f\0~\u00ff"u8, (_, _) => Task.CompletedTask), _ => Task.CompletedTask));

        Assert.Contains("The magic \"a \\x7f\\x00~\\xc3\\xbf\" has 7 bytes; it must have 11.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_byte_of_a_magic_counts()
    {
        var magic = "sidechannel"u8.ToArray();
        for (var position = 0; position < magic.Length; position++)
        {
            var (connection, peer) = NewConnection();
            var other = magic.ToArray();
            other[position] ^= 1;
            var served = "";
            var run = Build(mux => mux.Map("sidechannel"u8, (_, _) => Task.FromResult(served = "magic")), _ => Task.FromResult(served = "next"))(connection);

            await peer.Output.WriteAsync(other);
            await run.Guarded();

            Assert.Equal("next", served);
        }
    }

    [Fact]
    public async Task Magics_that_differ_in_one_byte_have_a_handler_each()
    {
        for (var position = 0; position < 11; position++)
        {
            var one = "sidechannel"u8.ToArray();
            var other = one.ToArray();
            other[position] ^= 1;
            foreach (var (sent, expected) in new[] { (one, "one"), (other, "other") })
            {
                var (connection, peer) = NewConnection();
                var served = "";
                var run = Build(
                    mux => mux.Map(one, (_, _) => Task.FromResult(served = "one")).Map(other, (_, _) => Task.FromResult(served = "other")),
                    _ => Task.FromResult(served = "next"))(connection);

                await peer.Output.WriteAsync(sent);
                await run.Guarded();

                Assert.Equal(expected, served);
            }
        }
    }

    [Fact]
    public async Task A_connection_that_is_reset_before_eleven_bytes_is_over_and_no_error()
    {
        var (connection, peer) = NewConnection();
        var passedOn = false;
        var run = Build(mux => mux.Map("sidechannel"u8, (_, _) => Task.FromResult(passedOn = true)), _ => Task.FromResult(passedOn = true))(connection);

        await peer.Output.WriteAsync("sidechanne"u8.ToArray());
        await peer.Output.CompleteAsync(new ConnectionResetException("gone"));
        await run.Guarded();

        Assert.False(passedOn);
        Assert.False(connection.Aborted);
        var line = Assert.Single(_log.Lines);
        Assert.Equal((LogLevel.Debug, "ListenMux", "ConnectionLost"), (line.Level, line.Category, line.Event.Name));
        Assert.Contains("gone", line.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_timeout_a_silent_connection_stays()
    {
        var (connection, peer) = NewConnection();
        var run = Build(mux => mux.HandshakeTimeout = Timeout.InfiniteTimeSpan, _ => Task.CompletedTask)(connection);

        _time.Advance(TimeSpan.FromDays(1000));
        Assert.False(run.IsCompleted);
        await peer.Output.WriteAsync("sidechannel"u8.ToArray());

        await run.Guarded();
        Assert.False(connection.Aborted);
    }

    [Fact]
    public async Task What_fails_behind_the_mux_is_for_who_stands_before_it()
    {
        var (connection, peer) = NewConnection();
        var run = Build(mux => mux.Map("sidechannel"u8, (_, _) => Task.CompletedTask), _ => throw new FormatException("behind"))(connection);

        await peer.Output.WriteAsync("backchannel"u8.ToArray());

        await Assert.ThrowsAsync<FormatException>(() => run.Guarded());
        Assert.Empty(_log.Lines);
    }

    [Theory]
    [InlineData("sidechannel", "side")]
    [InlineData("backchannel", "back")]
    [InlineData("PRI * HTTP/", "next")]
    public async Task Each_magic_goes_to_its_handler_and_everything_else_passes_on(string sent, string served)
    {
        var (connection, peer) = NewConnection();
        var log = new List<string>();
        var run = Build(
            mux => mux
                .Map("sidechannel"u8, (_, _) => Add("side"))
                .Map("backchannel"u8, (_, _) => Add("back")),
            _ => Add("next"))(connection);

        await peer.Output.WriteAsync(Encoding.ASCII.GetBytes(sent));
        await run.Guarded();

        Assert.Equal([served], log);

        Task Add(string what)
        {
            log.Add(what);
            return Task.CompletedTask;
        }
    }

    [Fact]
    public async Task What_passes_on_is_unread_and_a_handler_starts_behind_its_magic()
    {
        foreach (var (sent, expected) in new[] { ("PRI * HTTP/2.0\r\n\r\n", "PRI * HTTP/2.0\r\n\r\n"), ("sidechannelpayload", "payload") })
        {
            var (connection, peer) = NewConnection();
            var seen = "";
            var run = Build(mux => mux.Map("sidechannel"u8, (c, _) => ReadAsync(c)), ReadAsync)(connection);

            // One byte at a time: the mux waits for eleven, however they come.
            foreach (var b in Encoding.ASCII.GetBytes(sent))
            {
                await peer.Output.WriteAsync(new[] { b });
            }

            await peer.Output.CompleteAsync();
            await run.Guarded();
            Assert.Equal(expected, seen);

            async Task ReadAsync(ConnectionContext c)
            {
                using var reader = new StreamReader(c.Transport.Input.AsStream());
                seen = await reader.ReadToEndAsync();
            }
        }
    }

    [Fact]
    public async Task A_client_that_closes_its_side_at_once_is_served_what_it_had_sent()
    {
        var (connection, peer) = NewConnection();
        using var closed = new CancellationTokenSource();
        connection.ConnectionClosed = closed.Token;
        await peer.Output.WriteAsync("sidechannelpayload"u8.ToArray());
        await peer.Output.CompleteAsync();
        await closed.CancelAsync(); // As Kestrel does when the client's FIN has come.
        var served = false;

        await Build(mux => mux.Map("sidechannel"u8, (_, _) => Task.FromResult(served = true)), _ => Task.CompletedTask)(connection).Guarded();

        Assert.True(served);
    }

    [Fact]
    public async Task A_handler_can_replace_the_transport_and_pass_the_connection_on()
    {
        var (connection, peer) = NewConnection();
        var (mine, _) = DuplexPipe.CreatePair();
        IDuplexPipe? seen = null;
        var run = Build(
            mux => mux.Map("backchannel"u8, (c, next) =>
            {
                c.Transport = mine;
                return next(c);
            }),
            c =>
            {
                seen = c.Transport;
                return Task.CompletedTask;
            })(connection);

        await peer.Output.WriteAsync("backchannel"u8.ToArray());
        await run.Guarded();

        Assert.Same(mine, seen);
    }

    [Fact]
    public async Task A_connection_that_is_silent_is_closed_at_the_timeout_and_not_before()
    {
        var (connection, peer) = NewConnection();
        var passedOn = false;
        var run = Build(_ => { }, _ => Task.FromResult(passedOn = true))(connection);
        await peer.Output.WriteAsync("backchanne"u8.ToArray());

        _time.Advance(TimeSpan.FromSeconds(120) - TimeSpan.FromTicks(1));
        Assert.False(run.IsCompleted);
        _time.Advance(TimeSpan.FromTicks(1));
        await run.Guarded();

        Assert.True(connection.Aborted);
        Assert.False(passedOn);
        var line = Assert.Single(_log.Lines);
        Assert.Equal((LogLevel.Debug, "HandshakeTimedOut"), (line.Level, line.Event.Name));
        Assert.Contains("11 bytes within 00:02:00", line.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_connection_that_ends_before_eleven_bytes_is_over()
    {
        var (connection, peer) = NewConnection();
        var passedOn = false;
        var run = Build(_ => { }, _ => Task.FromResult(passedOn = true))(connection);

        await peer.Output.WriteAsync("PRI"u8.ToArray());
        await peer.Output.CompleteAsync();
        await run.Guarded();

        Assert.False(passedOn);
        Assert.Empty(_log.Lines);
    }

    [Fact]
    public async Task A_connection_that_is_silent_does_not_hold_up_a_server_that_stops()
    {
        var (connection, _) = NewConnection();
        using var stopping = new CancellationTokenSource();
        connection.Features.Set<IConnectionLifetimeNotificationFeature>(new Lifetime(stopping.Token));
        var run = Build(_ => { }, _ => Task.CompletedTask)(connection);

        await stopping.CancelAsync();

        await run.Guarded();
        Assert.Empty(_log.Lines);
    }

    [Fact]
    public async Task A_handler_that_throws_closes_its_connection_with_one_line_in_the_log()
    {
        var (connection, peer) = NewConnection();
        var run = Build(mux => mux.Map("sidechannel"u8, (_, _) => throw new InvalidDataException("no good")), _ => Task.CompletedTask)(connection);

        await peer.Output.WriteAsync("sidechannel"u8.ToArray());
        await run.Guarded();

        Assert.True(connection.Aborted);
        var line = Assert.Single(_log.Lines);
        Assert.Equal((LogLevel.Error, "HandlerFailed"), (line.Level, line.Event.Name));
        Assert.Contains("no good", line.Message, StringComparison.Ordinal);
    }

    private static (TestConnection Connection, IDuplexPipe Peer) NewConnection()
    {
        var (transport, peer) = DuplexPipe.CreatePair();
        return (new TestConnection(transport), peer);
    }

    private ConnectionDelegate Build(Action<ListenMuxBuilder> configure, ConnectionDelegate next)
    {
        var services = new ServiceCollection().AddLogging(logging => logging.AddProvider(_log).SetMinimumLevel(LogLevel.Debug)).BuildServiceProvider();
        var builder = new ConnectionBuilder(services);
        builder.UseListenMux(mux =>
        {
            mux.TimeProvider = _time;
            configure(mux);
        });
        builder.Run(connection => next(connection));
        return builder.Build();
    }

    private sealed class Lifetime(CancellationToken requested) : IConnectionLifetimeNotificationFeature
    {
        public CancellationToken ConnectionClosedRequested { get; set; } = requested;

        public void RequestClose()
        {
        }
    }
}
