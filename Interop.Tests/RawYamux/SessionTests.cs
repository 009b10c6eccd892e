using Interop.Tests.Support;
using Yamux;

namespace Interop.Tests.RawYamux;

/// <summary>Ping, go away, refusal, reset, and the two ways in which a session ends.</summary>
public sealed class SessionTests(GoPeerBinary binary)
{
    public static TheoryData<YamuxRole> Roles { get; } = [YamuxRole.Client, YamuxRole.Server];

    [Theory]
    [MemberData(nameof(Roles))]
    public async Task Both_ping_many_times_at_once(YamuxRole role)
    {
        await using var pair = await RawPair.StartAsync(binary, role, "ping");

        var pings = Enumerable.Range(0, 100).Select(_ => pair.Session.PingAsync(TestContext.Current.CancellationToken).AsTask());
        var roundTrips = await Task.WhenAll(pings).Guarded();

        Assert.All(roundTrips, time => Assert.True(time > TimeSpan.Zero));
        Assert.Equal("100", await pair.Go.RestOfLineAsync("ok ping "));
        await pair.EndAsync();
    }

    [Theory]
    [MemberData(nameof(Roles))]
    public async Task After_Gos_go_away_we_open_nothing_and_the_open_stream_goes_on(YamuxRole role)
    {
        await using var pair = await RawPair.StartAsync(binary, role, "go-away-send");
        await using var stream = await pair.OpenAsync();
        // Go sent its go away before this byte.
        await stream.AsStream().ReadExactlyAsync(new byte[1], TestContext.Current.CancellationToken).Guarded();

        var refused = await Assert.ThrowsAsync<YamuxException>(pair.OpenAsync);

        Assert.Equal(YamuxErrorCode.GoAway, refused.ErrorCode);
        await ExpectEchoAsync(stream);
        await pair.EndAsync();
    }

    [Theory]
    [MemberData(nameof(Roles))]
    public async Task After_our_go_away_Go_opens_nothing_and_the_open_stream_goes_on(YamuxRole role)
    {
        await using var pair = await RawPair.StartAsync(binary, role, "go-away-receive");
        await using var stream = await pair.AcceptAsync();
        await pair.Session.GoAwayAsync(TestContext.Current.CancellationToken).Guarded();
        await stream.Output.WriteAsync(new byte[1], TestContext.Current.CancellationToken).Guarded();

        await pair.Go.RestOfLineAsync("refused");

        await ExpectEchoAsync(stream);
        await pair.EndAsync();
    }

    [Theory]
    [MemberData(nameof(Roles))]
    public async Task A_stream_beyond_Gos_backlog_is_reset_and_the_one_within_is_not(YamuxRole role)
    {
        await using var pair = await RawPair.StartAsync(binary, role, "refuse", backlog: 1);
        await using var waiting = await pair.OpenAsync();
        await using var refused = await pair.OpenAsync();

        var read = refused.AsStream().ReadExactlyAsync(new byte[1], TestContext.Current.CancellationToken);

        var failure = await Assert.ThrowsAsync<YamuxException>(() => read.Guarded());
        Assert.Equal(YamuxErrorCode.StreamReset, failure.ErrorCode);
        Assert.False(waiting.Closed.IsCancellationRequested);
    }

    [Theory]
    [MemberData(nameof(Roles))]
    public async Task An_abort_of_ours_is_a_reset_to_Go(YamuxRole role)
    {
        await using var pair = await RawPair.StartAsync(binary, role, "reset");
        await using var stream = await pair.OpenAsync();
        await stream.AsStream().ReadExactlyAsync(new byte[1], TestContext.Current.CancellationToken).Guarded();

        stream.Abort();

        await pair.Go.RestOfLineAsync("reset");
        await pair.EndAsync();
    }

    [Theory]
    [MemberData(nameof(Roles))]
    public async Task Go_receives_all_that_we_sent_before_we_closed_the_session(YamuxRole role)
    {
        // More than one window, so that the end of it waits for credit.
        const int Size = 1024 * 1024;
        await using var pair = await RawPair.StartAsync(binary, role, "digest");
        string hash;
        await using (var stream = await pair.OpenAsync())
        {
            hash = await Payload.WriteAsync(stream.AsStream(), new Random(7), Size);
        }

        await pair.EndAsync();

        Assert.Equal($"{Size} {hash}", await pair.Go.RestOfLineAsync("received "));
    }

    [Theory]
    [MemberData(nameof(Roles))]
    public async Task A_Go_peer_that_dies_is_not_the_end_of_its_stream(YamuxRole role)
    {
        await using var pair = await RawPair.StartAsync(binary, role, "unfinished");
        await using var stream = await pair.OpenAsync();
        await stream.AsStream().ReadExactlyAsync(new byte[1000], TestContext.Current.CancellationToken).Guarded();

        pair.Go.Kill();

        var read = await Assert.ThrowsAsync<YamuxException>(
            () => stream.AsStream().ReadExactlyAsync(new byte[1], TestContext.Current.CancellationToken).Guarded());
        await HangGuard.AcceptsNoMoreAsync(pair.Session);
        var open = await Assert.ThrowsAsync<YamuxException>(pair.OpenAsync);
        Assert.Equal((YamuxErrorCode.ConnectionLost, YamuxErrorCode.ConnectionLost), (read.ErrorCode, open.ErrorCode));
        Assert.Equal(0, pair.Session.StreamCount);
        await HangGuard.LostAsync(pair.Session.Completion);
    }

    private static async Task ExpectEchoAsync(YamuxStream stream)
    {
        const int Size = 64 * 1024;
        var hash = await Payload.WriteAsync(stream.AsStream(), new Random(7), Size);
        await stream.Output.CompleteAsync();
        Assert.Equal($"{Size} {hash}", await Payload.ReadToEndAsync(stream.Input));
    }
}
