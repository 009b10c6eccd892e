using System.Globalization;
using Backchannel.StackExchangeRedis;
using Backchannel.Tests.Kit;
using Backchannel.Tests.Replicas.Kit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;
using Xunit;

namespace Backchannel.Tests.Replicas.Directory;

/// <summary>The directory in Redis, and what may be wrong with a Redis.</summary>
public class RedisDirectoryTests : DirectoryContract
{
    private readonly TestLog _log = new();
    private RedisServer? _redis;

    private protected override async ValueTask<BackchannelDirectory> CreateAsync()
    {
        _redis = await RedisServer.StartAsync();
        return NewDirectory(_redis.Configuration);
    }

    private protected override async ValueTask ReleaseAsync()
    {
        if (_redis is not null)
        {
            await _redis.DisposeAsync();
        }
    }

    private protected override async ValueTask LoseEverythingAsync() => Assert.StartsWith("+OK", await _redis!.CommandAsync("FLUSHALL"), StringComparison.Ordinal);

    [Fact]
    public async Task A_wrong_password_is_told_as_that()
    {
        await using var redis = await RedisServer.StartAsync("--requirepass", "right");
        await using var wrong = NewDirectory(redis.Configuration + ",password=wrong");
        await using var none = NewDirectory(redis.Configuration);

        await Guard.Until(async () => (await UnavailableAsync(wrong)).Message.Contains("password", StringComparison.Ordinal), "it is told"); // When it was connected to, which takes its time.
        await Guard.Until(async () => (await UnavailableAsync(none)).Message.Contains("password", StringComparison.Ordinal), "it is told");
    }

    [Fact]
    public async Task A_read_only_replica_is_told_as_that()
    {
        await using var redis = await RedisServer.StartAsync("--replicaof", "127.0.0.1", _redis!.Port.ToString(CultureInfo.InvariantCulture));
        await using var directory = NewDirectory(redis.Configuration);

        await Guard.Until(async () => (await UnavailableAsync(directory)).Message.Contains("read-only", StringComparison.Ordinal), "it is told");
    }

    [Fact]
    public async Task Where_no_Redis_is_the_address_is_told_and_it_is_found_when_it_comes()
    {
        await Directory.RenewAsync(Replica("a"), TimeSpan.FromMinutes(1));
        await _redis!.KillAsync();
        Assert.Contains(_redis.Configuration, (await UnavailableAsync(Directory)).Message, StringComparison.Ordinal);
        Assert.False(await IsThereAsync(Directory));

        await _redis.StartAgainAsync();

        await Guard.Until(async () => await IsThereAsync(Directory), "it is found");
    }

    [Fact]
    public async Task A_Redis_that_does_not_answer_is_given_up_and_a_command_that_it_reads_later_changes_nothing()
    {
        await using var directory = NewDirectory(_redis!.Configuration, options => options.OperationTimeout = TimeSpan.FromMilliseconds(100));
        await directory.RegisterAsync(new PeerRecord("y", "a", 1, 0, ""), TimeSpan.Zero, alone: false); // It knows the time.
        _redis.Freeze();

        var late = await Assert.ThrowsAsync<DirectoryUnavailableException>(
            async () => await directory.RegisterAsync(new PeerRecord("x", "a", 1, 0, ""), TimeSpan.Zero, alone: false));
        Assert.Contains("did not answer within 0.1 s", late.Message, StringComparison.Ordinal);
        for (var i = 0; i < 5; i++)
        {
            await UnavailableAsync(directory);
        }

        _redis.Thaw();
        await Guard.Until(async () => await IsThereAsync(directory), "it is found");
        Assert.Empty(await directory.FindAsync("x"));
        Assert.Contains(_log.Lines, line => line.Event.Name == "ConnectionReplaced");
    }

    [Fact]
    public async Task Garbage_is_passed_over_and_told()
    {
        await RegisterAsync("x", "a", 1, "run");
        await _redis!.CommandAsync("HSET", "{backchannel}:name:x", "no colon", "1:run", "b:1", "no generation", "c:x", "1:run", "d:1", "99999999999999999999:run", ":1", "1:");
        await _redis.CommandAsync("HSET", "{backchannel}:replicas", "c", "garbage", "d", "99999999999999 live nowhere");
        await _redis.CommandAsync("SET", "{backchannel}:name:y", "text");

        Assert.Equal(["a"], (await Directory.FindAsync("x")).Select(record => record.Replica));
        Assert.Empty(await Directory.FindAsync("y"));
        Assert.Equal([Replica("a")], (await Directory.RenewAsync(Replica("a"), TimeSpan.FromHours(1))).Live);
        Assert.Equal(PeerRegistrationResult.Registered, (await RegisterAsync("x", "b", 1, "run-2")).Result);
        Assert.Equal(PeerRegistrationResult.Registered, (await RegisterAsync("y", "b", 1, "run-2")).Result);
        Assert.Single(await Directory.FindAsync("y"));
        Assert.Contains(_log.Lines, line => line.Event.Name == "GarbagePassedOver");
    }

    [Fact]
    public async Task A_key_of_the_replicas_that_is_somebody_elses_is_told()
    {
        await _redis!.CommandAsync("SET", "{backchannel}:replicas", "text");

        await Guard.Until(async () => (await UnavailableAsync(Directory)).Message.Contains("KeyPrefix", StringComparison.Ordinal), "it is told");
    }

    [Fact]
    public async Task Two_applications_with_prefixes_of_their_own_do_not_see_each_other()
    {
        await using var other = NewDirectory(_redis!.Configuration, options => options.KeyPrefix = "other:");
        await RegisterAsync("x", "a", 1, "run");
        await Directory.RenewAsync(Replica("a"), TimeSpan.FromHours(1));

        Assert.Empty(await other.FindAsync("x"));
        Assert.Equal([Replica("b")], (await other.RenewAsync(Replica("b"), TimeSpan.FromHours(1))).Live);
    }

    [Fact]
    public async Task A_name_that_nobody_writes_again_is_forgotten()
    {
        await RegisterAsync("x", "a", 1, "run");

        Assert.InRange(long.Parse((await _redis!.CommandAsync("PTTL", "{backchannel}:name:x"))[1..].TrimEnd(), CultureInfo.InvariantCulture), 1, 15 * 60 * 1000);
    }

    [Fact]
    public void A_configuration_that_names_no_Redis_or_a_time_out_of_range_is_refused()
    {
        Assert.Contains("names no Redis", Assert.Throws<ArgumentException>(() => NewDirectory("localhost", options => options.Configuration = new ConfigurationOptions())).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => NewDirectory("localhost", options => options.OperationTimeout = TimeSpan.Zero));
        Assert.Throws<ArgumentOutOfRangeException>(() => NewDirectory("localhost", options => options.RecordLifetime = TimeSpan.FromSeconds(1)));
        Assert.ThrowsAny<ArgumentException>(() => NewDirectory("localhost,nonsense=1"));
    }

    private static async Task<DirectoryUnavailableException> UnavailableAsync(BackchannelDirectory directory)
        => await Assert.ThrowsAsync<DirectoryUnavailableException>(async () => await directory.RenewAsync(Replica("a"), TimeSpan.FromMinutes(1)));

    private static async Task<bool> IsThereAsync(BackchannelDirectory directory)
    {
        try
        {
            await directory.RenewAsync(Replica("a"), TimeSpan.FromMinutes(1));
            return true;
        }
        catch (DirectoryUnavailableException)
        {
            return false;
        }
    }

    private BackchannelDirectory NewDirectory(string configuration, Action<RedisDirectoryOptions>? configure = null)
    {
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.AddProvider(_log));
        services.AddBackchannel().AddStackExchangeRedis(configuration, configure);
        return services.BuildServiceProvider().GetRequiredService<BackchannelDirectory>();
    }
}
