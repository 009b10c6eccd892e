namespace Yamux.Tests.Face;

/// <summary>Disposing a stream: everything that was written arrives, whatever the peer does meanwhile.</summary>
public class DisposalTests
{
    [Theory]
    [InlineData(PairTransport.Pipes)]
    [InlineData(PairTransport.Sockets)]
    [InlineData(PairTransport.Tls)]
    public async Task What_was_written_arrives_at_a_peer_that_must_write_before_it_reads_on(PairTransport transport)
    {
        await using var pair = await SessionPair.OverAsync(transport);
        var (client, server) = (await pair.OpenAsync(1))[0];
        var bytes = Bytes.Pattern(2_000_000);
        await client.Output.WriteAsync(bytes.AsMemory(0, 200_000)).Guarded();
        bytes.AsSpan(200_000).CopyTo(client.Output.GetSpan(1_800_000));
        client.Output.Advance(1_800_000);

        // It takes no more than it has given, and nobody reads what it gives.
        var received = new MemoryStream();
        var peer = Task.Run(async () =>
        {
            var stream = server.AsStream();
            var buffer = new byte[50_000];
            while (received.Length < bytes.Length - 200_000)
            {
                var count = await stream.ReadAsync(buffer);
                received.Write(buffer, 0, count);
                await stream.WriteAsync(buffer.AsMemory(0, count));
            }

            await stream.CopyToAsync(received);
        });
        await client.DisposeAsync().Guarded();
        await peer.Guarded();

        Bytes.AssertSame(bytes, received.ToArray());
    }

    [Fact]
    public async Task Disposing_waits_for_a_flush_that_is_in_progress()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        var flush = stream.Output.WriteAsync(Bytes.Pattern(300_000)).AsTask();
        await t.Peer.ReadDataAsync(1, 262_144);

        var disposal = stream.DisposeAsync().AsTask();
        Assert.False(disposal.IsCompleted);
        await t.Peer.SendAsync(Frame.Credit(1, 100_000));

        await t.Peer.ReadDataAsync(1, 300_000 - 262_144);
        await t.Peer.ExpectAsync(Frame.Fin(1));
        await disposal.Guarded();
        await flush.Guarded();
    }

    [Fact]
    public async Task Completing_a_second_time_with_an_error_changes_nothing_and_waits_for_nothing()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        stream.Output.GetSpan(300_000);
        stream.Output.Advance(300_000);
        stream.Output.Complete();

        await stream.Output.CompleteAsync(new InvalidDataException("too late")).Guarded();

        await t.Peer.ReadDataAsync(1, 262_144);
        await t.Peer.SendAsync(Frame.Credit(1, 100_000));
        await t.Peer.ReadDataAsync(1, 300_000 - 262_144);
        await t.Peer.ExpectAsync(Frame.Fin(1));
    }

    [Fact]
    public async Task The_close_timeout_counts_from_the_last_byte_that_the_peer_took()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        stream.Output.GetSpan(300_000);
        stream.Output.Advance(300_000);
        var disposal = stream.DisposeAsync().AsTask();
        await t.Peer.ReadDataAsync(1, 262_144);
        await t.Peer.ExpectNothingAsync();
        t.Time.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromTicks(1));

        await t.Peer.SendAsync(Frame.Credit(1, 1));
        await t.Peer.ReadDataAsync(1, 1);
        t.Time.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromTicks(1));
        await t.Peer.ExpectNothingAsync();
        t.Time.Advance(TimeSpan.FromMilliseconds(1)); // What a timer can tell apart.

        await t.Peer.ExpectAsync(Frame.Rst(1));
        await disposal.Guarded();
    }

    [Fact]
    public async Task The_close_timeout_begins_anew_no_more_when_StreamDrainTimeout_is_over()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        stream.Output.GetSpan(300_000);
        stream.Output.Advance(300_000);
        var disposal = stream.DisposeAsync().AsTask();
        await t.Peer.ReadDataAsync(1, 262_144);
        await t.Peer.ExpectNothingAsync(); // Its ACK was seen, or the clock would pass StreamOpenTimeout.
        for (var minutes = 4; minutes <= 32; minutes += 4)
        {
            t.Time.Advance(TimeSpan.FromMinutes(4));
            await t.Peer.SendAsync(Frame.Credit(1, 1));
            await t.Peer.ReadDataAsync(1, 1);
            await t.Peer.ExpectNothingAsync();
        }

        t.Time.Advance(TimeSpan.FromMinutes(1) - TimeSpan.FromMilliseconds(1)); // 5 since the last byte within 30.
        await t.Peer.ExpectNothingAsync();
        t.Time.Advance(TimeSpan.FromMilliseconds(1));

        await t.Peer.ExpectAsync(Frame.Rst(1));
        await disposal.Guarded();
    }

    [Fact]
    public async Task CloseAsync_that_is_cancelled_aborts_the_stream()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        stream.Output.GetSpan(300_000);
        stream.Output.Advance(300_000);
        using var cancellation = new CancellationTokenSource();
        var closing = stream.CloseAsync(cancellation.Token).AsTask();
        await t.Peer.ReadDataAsync(1, 262_144);
        Assert.False(closing.IsCompleted);

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => closing.Guarded());
        await t.Peer.ExpectAsync(Frame.Rst(1));
        Assert.Equal(0, t.Session.StreamCount);
    }

    [Fact]
    public async Task CloseAsync_tells_what_could_not_be_sent_and_DisposeAsync_does_not()
    {
        await using var t = Scenario.Client();
        var told = await t.OpenAsync();
        var silent = await t.OpenAsync();
        foreach (var stream in new[] { told, silent })
        {
            stream.Output.GetSpan(300_000);
            stream.Output.Advance(300_000);
        }

        var closing = told.CloseAsync().AsTask();
        var disposal = silent.DisposeAsync().AsTask();
        await t.Peer.SendAsync(Frame.Rst(1), Frame.Rst(3));

        await Guard.FailsWithAsync(YamuxErrorCode.StreamReset, closing);
        await disposal.Guarded();
    }

    [Fact]
    public async Task CloseAsync_ends_when_the_session_has_taken_everything()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await stream.Output.WriteAsync(new byte[] { 1 }).Guarded();

        await stream.CloseAsync().Guarded();

        await t.Peer.ExpectAsync(Frame.Data(1, [1]), Frame.Fin(1));
    }
}
