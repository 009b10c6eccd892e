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
        var (stream, left) = await t.OpenFilledAsync();
        stream.Output.Complete();

        await stream.Output.CompleteAsync(new InvalidDataException("too late")).Guarded();

        await t.Peer.SendAsync(Frame.Credit(1, 100_000));
        await t.Peer.ReadDataAsync(1, left);
        await t.Peer.ExpectAsync(Frame.Fin(1));
    }

    [Fact]
    public async Task CloseAsync_that_is_cancelled_aborts_the_stream()
    {
        await using var t = Scenario.Client();
        var (stream, _) = await t.OpenFilledAsync();
        using var cancellation = new CancellationTokenSource();
        var closing = stream.CloseAsync(cancellation.Token).AsTask();
        await t.Peer.ExpectNothingAsync();
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
        var (told, _) = await t.OpenFilledAsync();
        var (silent, _) = await t.OpenFilledAsync();

        var closing = told.CloseAsync().AsTask();
        var disposal = silent.DisposeAsync().AsTask();
        await t.Peer.SendAsync(Frame.Rst(1), Frame.Rst(3));

        await Guard.FailsWithAsync(YamuxErrorCode.StreamReset, closing);
        await disposal.Guarded();
    }

    [Fact]
    public async Task CloseAsync_ends_when_all_is_sent_and_does_not_wait_for_the_peer_to_close()
    {
        await using var t = Scenario.Client();
        var (stream, left) = await t.OpenFilledAsync();
        var closing = stream.CloseAsync().AsTask();

        await t.Peer.SendAsync(Frame.Credit(1, (uint)left));

        await t.Peer.ReadDataAsync(1, left);
        await t.Peer.ExpectAsync(Frame.Fin(1));
        await closing.Guarded();
        Assert.Equal(1, t.Session.StreamCount);
    }
}
