namespace Yamux.Tests.Face;

/// <summary>Disposing a stream: everything that was written arrives, whatever the peer does meanwhile.</summary>
public class DisposalTests
{
    [Fact]
    public async Task What_was_written_arrives_at_a_peer_that_must_write_before_it_reads_on()
    {
        await using var pair = SessionPair.OverPipes();
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
    public async Task Completing_a_second_time_with_an_error_changes_nothing()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        stream.Output.GetSpan(300_000);
        stream.Output.Advance(300_000);
        stream.Output.Complete();

        stream.Output.Complete(new InvalidDataException("too late"));

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
}
