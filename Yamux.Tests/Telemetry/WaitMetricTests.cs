namespace Yamux.Tests.Telemetry;

/// <summary>docs/telemetry.md, "Yamux": what writers wait for, and how long.</summary>
public sealed class WaitMetricTests : IDisposable
{
    private const string Credit = "yamux.stream.credit_wait.duration";
    private const string Transport = "yamux.stream.transport_wait.duration";
    private const int Window = 262_144;

    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(3);

    private readonly TestMeters _meters = new();

    public void Dispose() => _meters.Dispose();

    [Fact]
    public async Task A_writer_waits_for_credit_until_there_is_enough()
    {
        using var credit = _meters.Collect<double>(Credit);
        using var transport = _meters.Collect<double>(Transport);
        await using var t = Scenario.Client(Configure);
        var stream = await OpenWithoutCreditAsync(t);

        var write = stream.WriteAsync(new byte[20]).AsTask();
        t.Time.Advance(Wait);
        await t.Peer.SendAsync(Frame.Credit(1, 10));
        await t.Peer.ReadDataAsync(1, 10);
        t.Time.Advance(Wait);
        await t.Peer.SendAsync(Frame.Credit(1, 10));
        await write.Guarded();

        Assert.Equal([6], credit.Values());
        Assert.Empty(transport.Values());
    }

    [Fact]
    public async Task A_writer_waits_for_the_transport_until_it_has_taken_enough()
    {
        using var credit = _meters.Collect<double>(Credit);
        using var transport = _meters.Collect<double>(Transport);
        await using var t = Scenario.Stalled(configure: Configure);
        var stream = await t.OpenAsync();

        var write = stream.WriteAsync(new byte[Window]).AsTask();
        await t.WriteStartedAsync();
        t.Time.Advance(Wait);
        await t.Peer.ReadDataAsync(1, Window);
        await write.Guarded();

        Assert.Equal([3], transport.Values());
        Assert.Empty(credit.Values());
    }

    [Fact]
    public async Task A_writer_that_waits_for_one_and_then_for_the_other_has_waited_for_both()
    {
        using var credit = _meters.Collect<double>(Credit);
        using var transport = _meters.Collect<double>(Transport);
        await using var t = Scenario.Stalled(configure: Configure);
        var stream = await t.OpenAsync();

        var write = stream.WriteAsync(new byte[Window + 1]).AsTask();
        await t.WriteStartedAsync();
        t.Time.Advance(Wait);
        await t.Peer.ReadDataAsync(1, Window);
        await WaitsAsync(transport);
        t.Time.Advance(2 * Wait);
        await t.Peer.SendAsync(Frame.Credit(1, 1));
        await write.Guarded();

        Assert.Equal([3], transport.Values());
        Assert.Equal([6], credit.Values());
        await t.Peer.ReadDataAsync(1, 1);
    }

    [Theory]
    [InlineData("cancelled")]
    [InlineData("its flush cancelled")]
    [InlineData("aborted")]
    [InlineData("reset")]
    [InlineData("its session aborted")]
    public async Task A_writer_that_gives_up_has_waited_too(string ended)
    {
        using var credit = _meters.Collect<double>(Credit);
        await using var t = Scenario.Client(Configure);
        var stream = await OpenWithoutCreditAsync(t);
        using var cancel = new CancellationTokenSource();

        var write = stream.WriteAsync(new byte[20], cancel.Token).AsTask();
        t.Time.Advance(Wait);
        switch (ended)
        {
            case "cancelled":
                await cancel.CancelAsync();
                break;
            case "its flush cancelled":
                stream.Output.CancelPendingFlush();
                break;
            case "aborted":
                stream.Abort();
                break;
            case "reset":
                await t.Peer.SendAsync(Frame.Rst(1));
                break;
            default:
                t.Session.Abort();
                break;
        }

        await Guard.EndedAsync(write);

        Assert.False(write.IsCompletedSuccessfully);
        Assert.Equal([3], credit.Values());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_is_left_when_a_stream_is_closed_waits_like_a_writer(bool isSent)
    {
        using var credit = _meters.Collect<double>(Credit);
        await using var t = Scenario.Client(Configure);
        var stream = await OpenWithoutCreditAsync(t);
        stream.Output.GetSpan(20);
        stream.Output.Advance(20);

        var close = stream.CloseAsync().AsTask();
        t.Time.Advance(Wait);
        await t.Peer.SendAsync(isSent ? Frame.Credit(1, 20) : Frame.Rst(1));
        await Guard.EndedAsync(close);

        Assert.Equal(isSent, close.IsCompletedSuccessfully);
        Assert.Equal([3], credit.Values());
    }

    [Fact]
    public async Task A_write_that_need_not_wait_is_not_measured()
    {
        using var credit = _meters.Collect<double>(Credit);
        using var transport = _meters.Collect<double>(Transport);
        await using var t = Scenario.Client(Configure);
        var stream = await t.OpenAsync();

        await stream.WriteAsync(new byte[Window], completeWrites: true).Guarded();

        Assert.Empty(credit.Values());
        Assert.Empty(transport.Values());
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 1)]
    public async Task The_clock_is_looked_at_for_who_waits_for_credit_only_if_somebody_listens(bool listens, int expected)
    {
        var time = new CountingTime();
        await using var t = Scenario.Client(options => Configure(options, time));
        var stream = await OpenWithoutCreditAsync(t);
        using var credit = listens ? _meters.Collect<double>(Credit) : null;
        var before = time.Count;

        var write = stream.WriteAsync(new byte[1]).AsTask();

        Assert.False(write.IsCompleted);
        Assert.Equal(expected, time.Count - before);
        await t.Peer.SendAsync(Frame.Credit(1, 1));
        await write.Guarded();
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 1)]
    public async Task The_clock_is_looked_at_for_who_waits_for_the_transport_only_if_somebody_listens(bool listens, int expected)
    {
        var time = new CountingTime();
        await using var t = Scenario.Stalled(configure: options => Configure(options, time));
        var stream = await t.OpenAsync();
        await t.Session.OpenStreamAsync().Guarded();
        await t.Peer.PeekAsync();
        await time.TimerSetAsync(TimeSpan.FromSeconds(10)); // The write that is under way has begun to wait.
        using var transport = listens ? _meters.Collect<double>(Transport) : null;
        var before = time.Count;

        var write = stream.WriteAsync(new byte[Window]).AsTask();

        Assert.False(write.IsCompleted);
        Assert.Equal(expected, time.Count - before);
        await t.Peer.ExpectAsync(Frame.Syn(3));
        await t.Peer.ReadDataAsync(1, Window);
        await write.Guarded();
    }

    private static async Task<YamuxStream> OpenWithoutCreditAsync(Scenario t)
    {
        var stream = await t.OpenAsync();
        await stream.WriteAsync(new byte[Window]).Guarded();
        await t.Peer.ReadDataAsync(1, Window);
        await t.Peer.ExpectNothingAsync();
        return stream;
    }

    private static Task WaitsAsync(Microsoft.Extensions.Diagnostics.Metrics.Testing.MetricCollector<double> waits)
        => waits.WaitForMeasurementsAsync(minCount: 1).Guarded();

    private void Configure(YamuxOptions options) => options.MeterFactory = _meters;

    private void Configure(YamuxOptions options, TimeProvider time) => (options.MeterFactory, options.TimeProvider) = (_meters, time);
}
