namespace Yamux.Tests.Limits;

/// <summary>
/// What came before the end of a stream can be read, and is held until then. So a stream that has ended keeps its place among
/// the inbound streams, and its share of the window budget, until this end lets go of it.
/// </summary>
public class ResetWindowTests
{
    public static TheoryData<string, Func<YamuxStream, Task>> WaysToLetGo => new()
    {
        { "read to the failure", async stream => { await stream.Input.TakeAsync(1); await Guard.FailsWithAsync(YamuxErrorCode.StreamReset, stream.Input.ReadAsync()); } },
        { "completed its input", async stream => await stream.Input.CompleteAsync() },
        { "disposed", async stream => await stream.DisposeAsync().Guarded() },
        { "aborted it too", stream => { stream.Abort(); return Task.CompletedTask; } },
        { "disposed as a Stream", async stream => await stream.AsStream().DisposeAsync().Guarded() },
    };

    [Theory]
    [MemberData(nameof(WaysToLetGo), DisableDiscoveryEnumeration = true)]
    public async Task A_stream_that_was_reset_keeps_its_place_until_this_end_has(string letGoBy, Func<YamuxStream, Task> letGo)
    {
        Assert.NotEmpty(letGoBy);
        await using var t = Scenario.Server(options => options.MaxInboundStreams = 1);
        var stream = await t.AcceptAsync(1);
        await t.Peer.SendAsync(Frame.Data(1, [1]), Frame.Rst(1), Frame.Syn(3));
        await t.Peer.ExpectAsync(Frame.Rst(3));
        Assert.Equal(0, t.Session.StreamCount);

        await letGo(stream);

        await t.AcceptAsync(5);
        await t.Peer.SendAsync(Frame.Syn(7));
        await t.Peer.ExpectAsync(Frame.Rst(7));
    }

    [Fact]
    public async Task A_stream_that_the_peer_has_finished_and_reset_keeps_its_place_until_its_end_was_read()
    {
        await using var t = Scenario.Server(options => options.MaxInboundStreams = 1);
        var stream = await t.AcceptAsync(1);
        await t.Peer.SendAsync(Frame.Data(1, [1], FrameFlag.Fin), Frame.Rst(1), Frame.Syn(3));
        await t.Peer.ExpectAsync(Frame.Rst(3));

        Assert.Equal([1], await stream.Input.TakeAllAsync());

        await t.AcceptAsync(5);
    }

    [Fact]
    public async Task A_stream_that_both_ends_have_finished_keeps_its_place_until_its_data_is_consumed()
    {
        await using var t = Scenario.Server(options => options.MaxInboundStreams = 1);
        var stream = await t.AcceptAsync(1);
        await stream.Output.CompleteAsync();
        await t.Peer.ExpectAsync(Frame.Fin(1));
        await t.Peer.SendAsync(Frame.Data(1, [1, 2], FrameFlag.Fin), Frame.Syn(3));
        await t.Peer.ExpectAsync(Frame.Rst(3));

        var read = await stream.Input.ReadAsync().Guarded();
        Assert.True(read.IsCompleted);
        stream.Input.AdvanceTo(read.Buffer.GetPosition(1));
        await t.Peer.SendAsync(Frame.Syn(5));
        await t.Peer.ExpectAsync(Frame.Rst(5));

        read = await stream.Input.ReadAsync().Guarded();
        stream.Input.AdvanceTo(read.Buffer.End);
        await t.AcceptAsync(7);
    }

    [Fact]
    public async Task A_place_is_given_back_once_however_often_this_end_lets_go()
    {
        await using var t = Scenario.Server(options => options.MaxInboundStreams = 1);
        var stream = await t.AcceptAsync(1);
        await t.Peer.SendAsync(Frame.Rst(1));
        await Guard.FailsWithAsync(YamuxErrorCode.StreamReset, stream.Input.ReadAsync());
        await Guard.FailsWithAsync(YamuxErrorCode.StreamReset, stream.Input.ReadAsync());
        await stream.Input.CompleteAsync();
        stream.Abort();
        await stream.DisposeAsync().Guarded();

        await t.AcceptAsync(3);
        await t.Peer.SendAsync(Frame.Syn(5));

        await t.Peer.ExpectAsync(Frame.Rst(5));
    }

    [Fact]
    public async Task A_stream_that_was_reset_before_it_was_accepted_keeps_no_place()
    {
        await using var t = Scenario.Server(options => options.MaxInboundStreams = 1);

        await t.Peer.SendAsync(Frame.Syn(1), Frame.Data(1, [1]), Frame.Rst(1), Frame.Credit(3, 0, FrameFlag.Syn | FrameFlag.Rst), Frame.Syn(5));
        await t.Peer.ExpectNothingAsync(); // Or the first might be accepted before its RST is seen.

        await t.AcceptOpenedAsync(5);
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task Window_budget_comes_back_when_the_reader_of_a_stream_that_was_reset_knows_it()
    {
        await using var t = Scenario.Client(options =>
        {
            options.FixWindows(262_144 + 1000);
            options.MaxSessionWindowGrowth = 1000;
        });
        var stream = await t.Session.OpenStreamAsync().Guarded();
        await t.Peer.ExpectAsync(Frame.Syn(1, 1000));
        await t.Peer.SendAsync(Frame.Data(1, [1]), Frame.Rst(1));
        await t.Peer.ExpectNothingAsync();
        await t.Session.OpenStreamAsync().Guarded();
        await t.Peer.ExpectAsync(Frame.Syn(3, 0));

        await stream.Input.CompleteAsync();

        await t.Session.OpenStreamAsync().Guarded();
        await t.Peer.ExpectAsync(Frame.Syn(5, 1000));
    }
}
