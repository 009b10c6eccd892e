using Yamux.Tests.Faults;

namespace Yamux.Tests.Face;

/// <summary>YamuxStream.ReadsClosed and WritesClosed: how each side has ended.</summary>
/// <remarks>They run alone, since unobserved exceptions are those of the whole process.</remarks>
[CollectionDefinition(nameof(ClosedSidesTests), DisableParallelization = true)]
[Collection(nameof(ClosedSidesTests))]
public class ClosedSidesTests
{
    public static TheoryData<bool> WhetherAskedBefore => [true, false];

    [Theory]
    [MemberData(nameof(WhetherAskedBefore))]
    public async Task Reads_are_closed_when_the_end_was_read_and_not_when_it_has_come(bool askedBefore)
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        var asked = askedBefore ? stream.ReadsClosed : null;
        await t.Peer.SendAsync(Frame.Data(1, [1, 2], FrameFlag.Fin));
        await t.Peer.ExpectNothingAsync();
        Assert.False(stream.ReadsClosed.IsCompleted);

        Assert.Equal([1, 2], await stream.Input.TakeAllAsync());

        await (asked ?? stream.ReadsClosed).Guarded();
        Assert.True(stream.ReadsClosed.IsCompletedSuccessfully);
        Assert.False(stream.WritesClosed.IsCompleted);
    }

    [Fact]
    public async Task Reads_of_whoever_has_read_all_there_is_are_closed_well_when_it_looks_no_further()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Data(1, [1, 2]));
        await stream.Input.TakeAsync(2);
        await t.Peer.SendAsync(Frame.Fin(1));
        await t.Peer.ExpectNothingAsync();
        Assert.False(stream.ReadsClosed.IsCompleted);

        await stream.DisposeAsync().Guarded();

        Assert.True(stream.ReadsClosed.IsCompletedSuccessfully);
    }

    [Theory]
    [InlineData("dispose")]
    [InlineData("complete")]
    [InlineData("AbortRead")]
    public async Task Reads_that_this_end_gives_up_are_closed_with_a_failure(string how)
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        var asked = stream.ReadsClosed;

        switch (how)
        {
            case "dispose":
                await stream.DisposeAsync().Guarded();
                break;
            case "complete":
                await stream.Input.CompleteAsync();
                break;
            default:
                stream.AbortRead();
                break;
        }

        Assert.Equal(1u, (await Guard.FailsWithAsync(YamuxErrorCode.StreamAborted, asked)).StreamId);
        await Guard.FailsWithAsync(YamuxErrorCode.StreamAborted, stream.ReadsClosed);
    }

    [Theory]
    [MemberData(nameof(WhetherAskedBefore))]
    public async Task Writes_are_closed_when_FIN_has_left_behind_all_that_was_written(bool askedBefore)
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        var asked = askedBefore ? stream.WritesClosed : null;
        stream.Output.GetSpan(262_145);
        stream.Output.Advance(262_145);
        stream.Output.Complete();
        await t.Peer.ReadDataAsync(1, 262_144);
        await t.Peer.ExpectNothingAsync();
        Assert.False(stream.WritesClosed.IsCompleted);

        await t.Peer.SendAsync(Frame.Credit(1, 1));

        await (asked ?? stream.WritesClosed).Guarded();
        await t.Peer.ReadDataAsync(1, 1);
        await t.Peer.ExpectAsync(Frame.Fin(1));
        Assert.True(stream.WritesClosed.IsCompletedSuccessfully);
        Assert.False(stream.ReadsClosed.IsCompleted);
    }

    [Theory]
    [MemberData(nameof(WhetherAskedBefore))]
    public async Task A_reset_of_the_peers_closes_both_sides_with_a_failure_at_once(bool askedBefore)
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        Task? reads = null, writes = null;
        if (askedBefore)
        {
            (reads, writes) = (stream.ReadsClosed, stream.WritesClosed);
        }

        await t.Peer.SendAsync(Frame.Data(1, [1]), Frame.Rst(1));
        await t.Peer.ExpectNothingAsync();

        Assert.Equal(1u, (await Guard.FailsWithAsync(YamuxErrorCode.StreamReset, reads ?? stream.ReadsClosed)).StreamId);
        await Guard.FailsWithAsync(YamuxErrorCode.StreamReset, writes ?? stream.WritesClosed);
        Assert.True(stream.ReadsClosed.IsFaulted && stream.WritesClosed.IsFaulted);
    }

    [Fact]
    public async Task A_side_that_has_ended_well_stays_so_when_the_stream_fails()
    {
        await using var t = Scenario.Client();
        var (read, written) = (await t.OpenAsync(), await t.OpenAsync());
        await t.Peer.SendAsync(Frame.Fin(1));
        await read.Input.TakeAllAsync();
        await written.Output.CompleteAsync();
        var reads = read.ReadsClosed;
        var writes = written.WritesClosed;

        t.Session.Abort();

        await Task.WhenAll(reads, writes).Guarded();
        Assert.True(read.ReadsClosed.IsCompletedSuccessfully && written.WritesClosed.IsCompletedSuccessfully);
        var failure = await Guard.FailsWithAsync(YamuxErrorCode.SessionClosed, read.WritesClosed);
        Assert.Null(failure.StreamId);
        await Guard.FailsWithAsync(YamuxErrorCode.SessionClosed, written.ReadsClosed);
    }

    [Fact]
    public async Task A_failure_is_seen_by_whoever_asks_next_though_earlier_tasks_are_told_by_the_pool()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        var asked = stream.WritesClosed;

        stream.Abort();

        Assert.True(stream.WritesClosed.IsFaulted && stream.ReadsClosed.IsFaulted);
        await Guard.FailsWithAsync(YamuxErrorCode.StreamAborted, asked);
    }

    [Fact]
    public async Task A_failure_that_nobody_looks_at_is_no_unobserved_exception()
    {
        using var unobserved = new UnobservedExceptions();
        await AskAndFailAsync();

        unobserved.AssertNone();
    }

    // By itself, so that nothing of it is held when it returns.
    private static async Task AskAndFailAsync()
    {
        await using var t = Scenario.Client();
        var (before, after) = (await t.OpenAsync(), await t.OpenAsync());
        var closed = Task.WhenAny(before.ReadsClosed, before.WritesClosed);

        t.Session.Abort(new InvalidOperationException("for a reason"));

        await closed.Guarded();
        Assert.True(after.ReadsClosed.IsFaulted && after.WritesClosed.IsFaulted);
    }
}
