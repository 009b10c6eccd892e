using System.Buffers;
using Backchannel.Tests.Kit;
using Backchannel.Tests.Sidechannels;
using Backchannel.Tests.Transports.Kit;
using Xunit;
using Yamux;

namespace Backchannel.Tests.Transports;

/// <summary>A session that is closed in order: what was written arrives, and what may go on goes on.</summary>
public class CloseTests
{
    private static readonly TimeSpan Drain = TimeSpan.FromSeconds(30);

    public static TheoryData<TransportKind, YamuxRole> Cases => TransportPair.Cases;

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Four_MiB_that_were_written_and_completed_arrive_though_the_session_is_disposed_at_once(TransportKind kind, YamuxRole role)
    {
        await using var pair = await TransportPair.ConnectAsync(kind, role);
        var far = pair.StartFar();
        var (stream, other) = await pair.Near.OpenToAsync(far).Guarded();
        var bytes = Content.Bytes(4 * 1024 * 1024);

        var received = other.ReadToEndAsync();
        stream.Output.Write(bytes);
        await stream.Output.CompleteAsync().Guarded();
        await pair.Near.DisposeAsync().Guarded();

        Assert.Equal(Content.Digest(bytes), Content.Digest(await received.Guarded()));
        await far.Completion.Guarded();
        pair.AssertNoWarnings();
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Streams_that_run_end_within_the_drain_and_lose_nothing(TransportKind kind, YamuxRole role)
    {
        await using var pair = await TransportPair.ConnectAsync(kind, role);
        var far = pair.StartFar();
        var (stream, other) = await pair.Near.OpenToAsync(far).Guarded();
        var bytes = Content.Bytes(1_000_000);
        var received = other.ReadToEndAsync();
        var answer = stream.ReadToEndAsync();
        await stream.Output.WriteAsync(bytes.AsMemory(0, 500_000)).Guarded();

        var closing = pair.Near.CloseAsync(Drain).AsTask();
        await CancelledAsync(far.GoAwayReceived);
        Assert.Equal(YamuxErrorCode.GoAway, (await Assert.ThrowsAsync<YamuxException>(() => far.OpenStreamAsync().Guarded())).ErrorCode);
        await stream.Output.WriteAsync(bytes.AsMemory(500_000)).Guarded();
        await stream.Output.CompleteAsync().Guarded();
        Assert.Equal(Content.Digest(bytes), Content.Digest(await received.Guarded()));
        await other.Output.WriteAsync(bytes).Guarded();
        Assert.False(closing.IsCompleted);
        await other.Output.CompleteAsync().Guarded();

        Assert.Equal(Content.Digest(bytes), Content.Digest(await answer.Guarded()));
        await closing.Guarded();
        await far.Completion.Guarded();
        pair.AssertNoWarnings();
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Streams_that_run_still_when_the_drain_is_over_fail_and_what_was_flushed_arrives(TransportKind kind, YamuxRole role)
    {
        // The clock runs ahead of what the far end answers.
        await using var pair = await TransportPair.ConnectAsync(kind, role, WithoutTimeouts);
        var far = pair.StartFar(WithoutTimeouts);
        var (stream, other) = await pair.Near.OpenToAsync(far).Guarded();
        var bytes = Content.Bytes(100_000);
        await stream.Output.WriteAsync(bytes).Guarded();

        var closing = pair.Near.CloseAsync(Drain).AsTask();
        await CancelledAsync(far.GoAwayReceived);
        Assert.False(stream.Closed.IsCancellationRequested);
        await pair.AdvanceUntilAsync(CancelledAsync(stream.Closed));
        await closing.Guarded();

        Assert.Equal(YamuxErrorCode.SessionClosed, (await Assert.ThrowsAsync<YamuxException>(() => stream.Input.ReadAsync().Guarded())).ErrorCode);
        var arrived = (await other.Input.ReadAtLeastAsync(bytes.Length).Guarded()).Buffer;
        Assert.Equal(Content.Digest(bytes), Content.Digest(arrived.ToArray()));
        other.Input.AdvanceTo(arrived.End);
        Assert.Equal(YamuxErrorCode.ConnectionLost, (await Assert.ThrowsAsync<YamuxException>(() => other.Input.ReadAsync().Guarded())).ErrorCode);
        await far.Completion.Guarded();
        pair.AssertNoWarnings();
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_drain_that_is_cancelled_aborts_the_session_and_the_peer_sees_it(TransportKind kind, YamuxRole role)
    {
        await using var pair = await TransportPair.ConnectAsync(kind, role);
        var far = pair.StartFar();
        var (stream, other) = await pair.Near.OpenToAsync(far).Guarded();
        using var cancellation = new CancellationTokenSource();
        var closing = pair.Near.CloseAsync(Drain, cancellation.Token).AsTask();
        await CancelledAsync(far.GoAwayReceived);
        Assert.False(closing.IsCompleted);

        await cancellation.CancelAsync();

        Assert.Equal(cancellation.Token, (await Assert.ThrowsAsync<OperationCanceledException>(() => closing.Guarded())).CancellationToken);
        await pair.Near.Completion.Guarded();
        Assert.Equal(YamuxErrorCode.SessionClosed, (await Assert.ThrowsAsync<YamuxException>(() => stream.Input.ReadAsync().Guarded())).ErrorCode);
        Assert.Equal(YamuxErrorCode.ConnectionLost, (await Assert.ThrowsAsync<YamuxException>(() => other.Input.ReadAsync().Guarded())).ErrorCode);
        pair.AssertNoWarnings();
    }

    private static void WithoutTimeouts(YamuxOptions options)
        => (options.ConnectionWriteTimeout, options.EnableKeepAlive) = (Timeout.InfiniteTimeSpan, false);

    private static async Task CancelledAsync(CancellationToken token)
    {
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = token.Register(cancelled.SetResult);
        await cancelled.Task.Guarded();
    }
}
