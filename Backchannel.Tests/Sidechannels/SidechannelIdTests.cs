using System.Globalization;
using System.Numerics;
using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Grpc.Core;
using Sidechannel;
using Xunit;
using Yamux;

namespace Backchannel.Tests.Sidechannels;

/// <summary>Who can open a sidechannel: those alone who were told its id, on the session for which it is.</summary>
public class SidechannelIdTests
{
    private const int Guesses = 200;

    [Fact]
    public void Ids_are_random_over_all_of_63_bits_and_never_alike()
    {
        const int Count = 4096;
        var registry = new SidechannelRegistry();

        var ids = Enumerable.Range(0, Count).Select(_ => registry.Register((_, _) => Task.CompletedTask).Id).ToArray();

        Assert.All(ids, id => Assert.InRange(id, 0, long.MaxValue));
        Assert.Equal(Count, ids.Distinct().Count());
        Assert.Equal(Count, registry.Count);
        for (var bit = 0; bit < 63; bit++)
        {
            // Eight deviations from the half: a fair bit is beyond once in 10 to the 15.
            Assert.InRange(ids.Count(id => (id >> bit & 1) == 1), (Count / 2) - 256, (Count / 2) + 256);
        }

        // What changes from one to the next: half of the bits, and not the last few, as in counting.
        Assert.InRange(ids.Zip(ids.Skip(1), (one, next) => BitOperations.PopCount((ulong)(one ^ next))).Average(), 30.5, 32.5);
        Assert.NotEqual(ids.Order(), ids);
    }

    [Fact]
    public void The_metadata_has_the_id_in_decimal()
    {
        var waiter = new SidechannelRegistry().Register((_, _) => Task.CompletedTask);

        var entry = Assert.Single(waiter.Metadata);

        Assert.Equal("gitaly-sidechannel-id", entry.Key);
        Assert.Equal(waiter.Id.ToString(CultureInfo.InvariantCulture), entry.Value);
    }

    [Fact]
    public async Task A_server_that_guesses_opens_nothing_that_a_client_offers_to_another()
    {
        await using var honest = await TransferServer.StartAsync(Content.ReceiveAsync);
        await using var client = new TransferClient(honest);
        await using var other = new Pair(client.Sidechannels);
        var bytes = Content.Bytes(1000);
        SidechannelWaiter[] offered =
            [.. Enumerable.Range(0, 3).Select(_ => client.Sidechannels.Register(async (channel, ct) => await channel.WriteAsync(bytes, ct)))];

        // One of them is known, and used up: the others are neither near it nor among the first.
        await using (var known = await other.Guessing.OpenSidechannelAsync(offered[1].Id).Guarded())
        {
            Assert.Equal(Content.Digest(bytes), await Content.DigestAsync(known).Guarded());
        }

        await offered[1].WaitAsync().Guarded();
        await AssertRefusedAsync(other.Guessing, offered[1].Id);

        Assert.Equal(2, client.Sidechannels.Count);
        Assert.Equal(Content.Digest(bytes), await client.Server.RunAsync(new Job(), offered[0].Metadata).ResponseAsync.Guarded());
        Assert.Equal(Content.Digest(bytes), await client.Server.RunAsync(new Job(), offered[2].Metadata).ResponseAsync.Guarded());
        await Task.WhenAll(offered[0].WaitAsync(), offered[2].WaitAsync()).Guarded();
    }

    [Fact]
    public async Task A_connection_without_any_credential_opens_nothing_that_a_server_offers_even_if_it_knows_the_id()
    {
        var sidechannels = new SidechannelRegistry();
        await using var server = await TestServer.StartAsync(options: options => options.UseSidechannels(sidechannels));
        await using var called = new RawClient(server);
        await called.First.Guarded();
        await Guard.Until(() => server.Registry.Count == 1, "the client is a peer");
        var peer = Assert.Single(server.Registry.Peers);
        Done? got = null;
        var waiter = sidechannels.Register(async (channel, ct) => got = await Content.DigestAsync(channel, ct), peer.Session);
        await using var thief = new RawClient(server);
        await thief.First.Guarded();
        await Guard.Until(() => server.Registry.Count == 2, "the thief is a peer");

        await AssertRefusedAsync(thief.Session, waiter.Id);

        Assert.Equal(1, sidechannels.Count);
        Assert.False(waiter.Completion.IsCompleted);
        var bytes = Content.Bytes(1000);
        await using (var channel = await called.Session.OpenSidechannelAsync(waiter.Id).Guarded())
        {
            await channel.WriteAsync(bytes);
        }

        await waiter.WaitAsync().Guarded();
        Assert.Equal(Content.Digest(bytes), got);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_registry_of_a_servers_needs_a_session_before_anything_is_sent(bool clientsToo)
    {
        var registry = new SidechannelRegistry();
        new BackchannelServerOptions().UseSidechannels(registry);
        if (clientsToo)
        {
            new BackchannelHostOptions().UseSidechannels(registry);
        }

        var calls = 0;
        AsyncUnaryCall<Done> Call(Metadata headers)
        {
            calls++;
            throw new InvalidDataException("a call was made");
        }

        var failures = new[]
        {
            Assert.Throws<InvalidOperationException>(() => registry.Register((_, _) => Task.CompletedTask)),
            Assert.Throws<InvalidOperationException>(() => registry.Register((_, _) => Task.CompletedTask, session: null)),
            await Assert.ThrowsAsync<InvalidOperationException>(() => registry.CallAsync(Call, (_, _) => Task.CompletedTask)),
            await Assert.ThrowsAsync<InvalidOperationException>(() => registry.CallAsync(Call, (_, _) => Task.CompletedTask, session: null)),
        };

        Assert.All(failures, failure => Assert.Contains("CallAsync(call, callback, peer.Session)", failure.Message, StringComparison.Ordinal));
        Assert.Equal(0, calls);
        Assert.Equal(0, registry.Count);
    }

    [Fact]
    public void A_registry_of_a_clients_needs_no_session()
    {
        var registry = new SidechannelRegistry();
        new BackchannelHostOptions().UseSidechannels(registry);
        new BackchannelHostOptions().UseSidechannels(registry);

        registry.Register((_, _) => Task.CompletedTask);

        Assert.Equal(1, registry.Count);
    }

    // The numbers from 0, and those around one that it knows, itself among them.
    private static async Task AssertRefusedAsync(YamuxSession session, long known)
    {
        foreach (var id in Enumerable.Range(0, Guesses).Select(number => (long)number).Concat(Enumerable.Range(-Guesses / 2, Guesses).Select(step => known + step)).Where(id => id >= 0))
        {
            var failure = await Assert.ThrowsAsync<SidechannelException>(() => session.OpenSidechannelAsync(id).AsTask().Guarded());
            Assert.Equal(SidechannelErrorCode.Refused, failure.ErrorCode);
        }
    }

    /// <summary>A server of which a registry's owner is a client too, and which asks for what it likes.</summary>
    private sealed class Pair : IAsyncDisposable
    {
        private readonly YamuxSession _client;
        private readonly Task _serving;

        public Pair(SidechannelRegistry registry)
        {
            var (near, far) = DuplexPipe.CreatePair();
            Guessing = YamuxSession.Create(near, YamuxRole.Server);
            _client = YamuxSession.Create(far, YamuxRole.Client);
            _serving = ServeAsync(registry);
        }

        public YamuxSession Guessing { get; }

        public async ValueTask DisposeAsync()
        {
            await Guessing.DisposeAsync();
            await _serving.Guarded();
            await _client.DisposeAsync();
        }

        private async Task ServeAsync(SidechannelRegistry registry)
        {
            await foreach (var stream in _client.AcceptStreamsAsync())
            {
                await registry.ServeAsync(stream);
            }
        }
    }
}
