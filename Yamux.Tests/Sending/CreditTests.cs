namespace Yamux.Tests.Sending;

/// <summary>WIRE, "What we send": credit.</summary>
public class CreditTests
{
    private const int Half = 131_072;

    [Fact]
    public async Task Credit_is_sent_when_half_the_window_has_been_consumed_and_not_one_byte_before()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(Half)));

        await stream.Input.TakeAsync(Half - 1);
        await t.Peer.ExpectNothingAsync();

        await stream.Input.TakeAsync(1);
        await t.Peer.ExpectAsync(Frame.Credit(1, Half));
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task Half_of_a_larger_window_counts()
    {
        await using var t = Scenario.Client(options => options.FixWindows(1024 * 1024));
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(1024 * 1024)));

        await stream.Input.TakeAsync((512 * 1024) - 1);
        await t.Peer.ExpectNothingAsync();

        await stream.Input.TakeAsync(1);
        await t.Peer.ExpectAsync(Frame.Credit(1, 512 * 1024));
    }

    [Fact]
    public async Task All_that_was_consumed_is_given_back_at_once()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(262_144)));

        await stream.Input.TakeAsync(200_000);

        await t.Peer.ExpectAsync(Frame.Credit(1, 200_000));
    }

    [Fact]
    public async Task What_is_only_examined_is_no_credit_while_the_peer_has_some()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(262_143)));
        await stream.Input.ExamineAsync(262_143);

        var read = t.EndsWithSession(stream.Input.ReadAsync());

        await t.Peer.ExpectNothingAsync();
        Assert.False(read.IsCompleted);
    }

    [Fact]
    public async Task An_exhausted_window_is_no_credit_while_the_reader_has_not_examined_all_of_it()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(262_144)));
        var read = await stream.Input.ReadAtLeastAsync(262_144).Guarded();
        stream.Input.AdvanceTo(read.Buffer.Start, read.Buffer.GetPosition(262_143));

        await stream.Input.ReadAsync().Guarded();

        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task An_exhausted_window_that_the_reader_has_examined_is_no_credit_before_the_reader_asks_for_more()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(262_144)));

        await stream.Input.ExamineAsync(262_144);

        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_reader_that_has_examined_a_whole_window_and_asks_for_more_gets_half_a_window_more()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(262_144)));
        await stream.Input.ExamineAsync(262_144);

        var read = stream.Input.ReadAsync().AsTask();

        await t.Peer.ExpectAsync(Frame.Credit(1, Half));
        await t.Peer.SendAsync(Frame.Data(1, [1]));
        Assert.Equal(262_145, (await read.Guarded()).Buffer.Length);
    }

    [Fact]
    public async Task Nothing_is_lent_while_the_frame_that_exhausts_the_window_is_still_coming()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.DataHeader(1, 262_144));
        await t.Peer.SendRawAsync(Bytes.Pattern(262_143));
        await stream.Input.ExamineAsync(262_143);

        var read = stream.Input.ReadAsync().AsTask();
        await t.Peer.SendRawAsync(new byte[] { 1 });
        stream.Input.AdvanceTo((await read.Guarded()).Buffer.Start);

        await t.Peer.ExpectNothingAsync();
        await stream.Input.ExamineAsync(262_144);
        _ = t.EndsWithSession(stream.Input.ReadAsync());
        await t.Peer.ExpectAsync(Frame.Credit(1, Half));
    }

    [Fact]
    public async Task Nothing_is_lent_while_the_payload_of_such_a_frame_has_not_begun()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Data(1, [1]), Frame.DataHeader(1, 262_143));
        await stream.Input.ExamineAsync(1);

        var read = stream.Input.ReadAsync().AsTask();
        await t.Peer.SendRawAsync(Bytes.Pattern(262_143));
        stream.Input.AdvanceTo((await read.Guarded()).Buffer.Start);

        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task What_was_lent_is_taken_from_the_credit_of_the_next_bytes_consumed()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(262_144)));
        await stream.Input.ExamineAsync(262_144);
        var more = stream.Input.ReadAsync().AsTask();
        await t.Peer.ExpectAsync(Frame.Credit(1, Half));
        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(Half)));
        var read = await more.Guarded();
        stream.Input.AdvanceTo(read.Buffer.Start);

        await stream.Input.TakeAsync(Half);
        await t.Peer.ExpectNothingAsync();
        await stream.Input.TakeAsync(Half - 1);
        await t.Peer.ExpectNothingAsync();
        await stream.Input.TakeAsync(1);
        await t.Peer.ExpectAsync(Frame.Credit(1, Half));
        await stream.Input.TakeAsync(Half);
        await t.Peer.ExpectAsync(Frame.Credit(1, Half));
        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(262_144)), Frame.DataHeader(1, 1));
        await t.ExpectProtocolErrorAsync("had 0 bytes of credit");
    }

    [Fact]
    public async Task At_an_exhausted_window_less_than_half_that_was_consumed_becomes_credit_when_the_reader_asks_for_more()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(262_144)));
        await stream.Input.TakeAsync(1000);
        await stream.Input.ExamineAsync(261_144);

        _ = t.EndsWithSession(stream.Input.ReadAsync());

        await t.Peer.ExpectAsync(Frame.Credit(1, 1000));
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task No_credit_after_the_peers_FIN()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(262_144)), Frame.Fin(1));
        await t.Peer.ExpectNothingAsync();

        Assert.Equal(Bytes.Pattern(262_144), await stream.Input.TakeAllAsync());

        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task No_credit_after_the_peers_RST()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(262_144)), Frame.Rst(1));
        await t.Peer.ExpectNothingAsync();

        await stream.Input.TakeAsync(262_144);

        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task Credit_that_waits_for_the_transport_is_forgotten_when_the_peers_FIN_comes()
    {
        await using var t = Scenario.Stalled();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(Half)));
        await t.Peer.SendAsync(Frame.Ping(7)); // Its answer stands in the transport, and no flush ends before it is read.
        await t.Peer.PeekAsync();
        await stream.Input.TakeAsync(Half);

        await t.Peer.SendAsync(Frame.Fin(1));
        await stream.Input.ExpectEndAsync();

        await t.Peer.ExpectAsync(Frame.Pong(7));
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task When_the_reader_is_done_and_the_writer_is_not_what_is_dropped_becomes_credit()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(100_000)));
        await t.Peer.ExpectNothingAsync();

        await stream.Input.CompleteAsync();
        await t.Peer.ExpectNothingAsync();
        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(31_072)));

        await t.Peer.ExpectAsync(Frame.Credit(1, Half));
        await stream.Output.WriteAsync(new byte[] { 5 }).Guarded();
        await t.Peer.ExpectAsync(Frame.Data(1, [5]));
    }

    [Fact]
    public async Task Completing_the_input_twice_gives_the_credit_once()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(100_000)));
        await t.Peer.ExpectNothingAsync();

        await stream.Input.CompleteAsync();
        await stream.Input.CompleteAsync();
        await stream.DisposeAsync().Guarded();

        await t.Peer.ExpectAsync(Frame.Fin(1));
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task What_comes_after_the_stream_was_disposed_is_credited_until_the_peer_closes_it()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();

        // A peer that must write before it reads on would otherwise never read what was written before the disposal.
        await stream.DisposeAsync().Guarded();
        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(131_072)));
        await t.Peer.ExpectAsync(Frame.Fin(1), Frame.Credit(1, Half));

        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(131_072), FrameFlag.Fin));
        await t.Peer.ExpectAsync(Frame.Credit(1, Half));
        await t.Peer.ExpectNothingAsync();
        Assert.Equal(0, t.Session.StreamCount);
    }
}
