using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Backchannel.Tests.Replicas.Kit;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Backchannel.Tests.Replicas;

/// <summary>A Redis that is killed, frozen or emptied under replicas that make calls all the while.</summary>
public class RedisOutageTests
{
    public enum Outage
    {
        Killed,
        Frozen,
        Emptied,
    }

    [Theory]
    [InlineData(Outage.Killed)]
    [InlineData(Outage.Frozen)]
    [InlineData(Outage.Emptied)]
    public async Task No_path_that_stood_fails_and_all_is_whole_again_when_it_is_back(Outage outage)
    {
        await using var redis = await RedisServer.StartAsync();
        await using var first = await StartAsync(redis);
        await using var second = await StartAsync(redis);
        await Replica.KnowEachOtherAsync(first, second);
        await using var here = await AttachedAgent.StartAsync(first.Server, "here");
        await using var there = await AttachedAgent.StartAsync(second.Server, "there");
        using var enough = new CancellationTokenSource();
        var calls = 0;
        var calling = Task.WhenAll(new[] { "here", "there" }.Select(name => Task.Run(async () =>
        {
            var client = first.Peers.GetClient<Tester.TesterClient>(name);
            while (!enough.IsCancellationRequested)
            {
                Assert.Equal(name, (await client.UnaryAsync(new Request()).ResponseAsync.Guarded()).ServedBy);
                Interlocked.Increment(ref calls);
            }
        })));
        await MoreCallsAsync();

        await BeginAsync(redis, outage);
        if (outage != Outage.Emptied)
        {
            await Guard.Until(() => !IsAvailable(first) && !IsAvailable(second), "they know that it is away");
        }

        await MoreCallsAsync();
        await using var late = await AttachedAgent.StartAsync(second.Server, "late"); // While it is away.
        await MoreCallsAsync();
        Assert.Equal("late", await FarCallTests.CallAsync(first, "late", FarCallTests.Kind.Unary));
        await EndAsync(redis, outage);

        foreach (var (name, replica) in new[] { ("here", first), ("there", second), ("late", second) })
        {
            await Guard.Until(async () => (await redis.CommandAsync("HGETALL", $"{{backchannel}}:name:{name}")).Contains(replica.Id, StringComparison.Ordinal), "it is written down");
        }

        await MoreCallsAsync();
        await enough.CancelAsync();
        await calling.Guarded();

        async Task MoreCallsAsync()
        {
            var before = calls;
            await Guard.Until(() => calls > before + 20 || calling.IsCompleted, "calls are made");
            Assert.False(calling.IsCompleted, calling.Exception?.ToString());
        }
    }

    private static bool IsAvailable(Replica replica) => replica.Server.Services.GetRequiredService<ReplicaMembership>().IsAvailable;

    private static Task BeginAsync(RedisServer redis, Outage outage)
    {
        switch (outage)
        {
            case Outage.Killed:
                return redis.KillAsync();
            case Outage.Frozen:
                redis.Freeze();
                return Task.CompletedTask;
            default:
                return redis.CommandAsync("FLUSHALL");
        }
    }

    private static Task EndAsync(RedisServer redis, Outage outage)
    {
        switch (outage)
        {
            case Outage.Killed:
                return redis.StartAgainAsync();
            case Outage.Frozen:
                redis.Thaw();
                return Task.CompletedTask;
            default:
                return Task.CompletedTask;
        }
    }

    private static Task<Replica> StartAsync(RedisServer redis)
        => Replica.StartAsync(null, build: builder => builder.AddStackExchangeRedis(redis.Configuration));
}
