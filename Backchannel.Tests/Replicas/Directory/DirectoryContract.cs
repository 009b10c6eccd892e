using System.Collections.Concurrent;
using Backchannel.Tests.Kit;
using Xunit;

namespace Backchannel.Tests.Replicas.Directory;

/// <summary>What each directory does.</summary>
public abstract class DirectoryContract : IAsyncLifetime
{
    private static readonly TimeSpan Long = TimeSpan.FromHours(1);

    private protected BackchannelDirectory Directory { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Directory = await CreateAsync();

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (Directory is not null)
        {
            await Directory.DisposeAsync();
        }

        await ReleaseAsync();
    }

    private protected abstract ValueTask<BackchannelDirectory> CreateAsync();

    private protected abstract ValueTask ReleaseAsync();

    private protected abstract ValueTask LoseEverythingAsync();

    [Fact]
    public async Task A_replica_that_renews_sees_all_that_have_a_lease()
    {
        var first = await Directory.RenewAsync(Replica("a"), Long);
        var second = await Directory.RenewAsync(Replica("b", ReplicaState.Draining), Long);
        var third = await Directory.RenewAsync(Replica("a"), Long);

        Assert.Equal([true, true, false], [first.HadLapsed, second.HadLapsed, third.HadLapsed]);
        Assert.Equal([Replica("a")], first.Live);
        Assert.Equal([Replica("a"), Replica("b", ReplicaState.Draining)], second.Live.OrderBy(replica => replica.Id));
        Assert.Equal([Replica("a"), Replica("b", ReplicaState.Draining)], third.Live.OrderBy(replica => replica.Id));
        Assert.Equal(first.Epoch, third.Epoch);
    }

    [Fact]
    public async Task A_replica_that_has_left_is_not_seen()
    {
        await Directory.RenewAsync(Replica("a"), Long);
        await Directory.LeaveAsync("a");
        await Directory.LeaveAsync("nobody");

        Assert.Equal([Replica("b")], (await Directory.RenewAsync(Replica("b"), Long)).Live);
        Assert.True((await Directory.RenewAsync(Replica("a"), Long)).HadLapsed);
    }

    [Fact]
    public async Task A_lease_that_was_not_renewed_lapses()
    {
        await Directory.RenewAsync(Replica("a"), TimeSpan.FromMilliseconds(1));

        await Guard.Until(async () => (await Directory.RenewAsync(Replica("b"), Long)).Live.Count == 1, "it has lapsed");

        Assert.True((await Directory.RenewAsync(Replica("a"), Long)).HadLapsed);
    }

    [Fact]
    public async Task What_has_lost_everything_has_another_epoch()
    {
        var before = await Directory.RenewAsync(Replica("a"), Long);

        await LoseEverythingAsync();

        var after = await Directory.RenewAsync(Replica("a"), Long);
        Assert.NotEqual(before.Epoch, after.Epoch);
        Assert.True(after.HadLapsed);
    }

    [Fact]
    public async Task The_newest_record_of_a_name_comes_first()
    {
        await RenewBothAsync();
        var first = await RegisterAsync("x", "a", 1, "run-1");
        var second = await RegisterAsync("x", "b", 1, "run-2");
        await RegisterAsync("y", "b", 2, "run-3");

        Assert.True(second.Generation > first.Generation);
        Assert.Equal(second.Generation, second.NewestGeneration);
        Assert.Equal(
            [new PeerRecord("x", "b", 1, second.Generation, "run-2"), new PeerRecord("x", "a", 1, first.Generation, "run-1")], await Directory.FindAsync("x"));
        Assert.Empty(await Directory.FindAsync("z"));
    }

    [Fact]
    public async Task What_is_registered_again_keeps_its_generation()
    {
        await RenewBothAsync();
        var first = await RegisterAsync("x", "a", 1, "run-1");
        var second = await RegisterAsync("x", "b", 1, "run-2");

        // Its answer was lost, so that it does not know it; and it knows it.
        var unknown = await RegisterAsync("x", "a", 1, "run-1", age: TimeSpan.FromSeconds(1));
        var known = await RegisterAsync("x", "a", 1, "run-1", generation: first.Generation);

        Assert.Equal(new PeerRegistration(PeerRegistrationResult.Registered, first.Generation, second.Generation), unknown);
        Assert.Equal(unknown, known);
        Assert.Equal(["b", "a"], (await Directory.FindAsync("x")).Select(record => record.Replica));
    }

    [Fact]
    public async Task What_was_to_be_registered_before_another_is_older_than_it()
    {
        await RenewBothAsync();
        await RegisterAsync("x", "a", 1, "run-1");

        await RegisterAsync("x", "b", 1, "run-2", age: TimeSpan.FromMinutes(1));

        Assert.Equal(["a", "b"], (await Directory.FindAsync("x")).Select(record => record.Replica));
    }

    [Fact]
    public async Task What_is_registered_again_where_everything_was_lost_is_older_than_what_is_new()
    {
        await RenewBothAsync();
        var old = await RegisterAsync("x", "a", 1, "run-1");
        await LoseEverythingAsync();
        await RenewBothAsync();

        await RegisterAsync("x", "b", 1, "run-2");
        var again = await RegisterAsync("x", "a", 1, "run-1", generation: old.Generation);

        Assert.Equal(old.Generation, again.Generation);
        Assert.Equal(["b", "a"], (await Directory.FindAsync("x")).Select(record => record.Replica));
    }

    [Fact]
    public async Task Unregistering_removes_exactly_its_own()
    {
        await RenewBothAsync();
        var first = await RegisterAsync("x", "a", 1, "run-1");
        await RegisterAsync("x", "a", 2, "run-2");
        await RegisterAsync("x", "b", 1, "run-3");

        await Directory.UnregisterAsync(new PeerRecord("x", "a", 1, 0, "run-1"));
        await Directory.UnregisterAsync(new PeerRecord("x", "a", 1, first.Generation, "run-1"));
        await Directory.UnregisterAsync(new PeerRecord("nobody", "a", 1, 0, ""));

        Assert.Equal(["b 1", "a 2"], (await Directory.FindAsync("x")).Select(record => $"{record.Replica} {record.Attachment}"));
    }

    [Fact]
    public async Task The_same_instance_on_another_connection_takes_the_place_of_the_older()
    {
        await RenewBothAsync();
        var old = await RegisterAsync("x", "a", 1, "run-1");
        await RegisterAsync("x", "a", 2, "run-2");
        await RegisterAsync("x", "b", 1, "run-1");

        Assert.Equal(["b 1", "a 2"], (await Directory.FindAsync("x")).Select(record => $"{record.Replica} {record.Attachment}"));
        Assert.Equal(PeerRegistrationResult.Superseded, (await RegisterAsync("x", "a", 1, "run-1", generation: old.Generation)).Result);
        Assert.Equal(["b 1", "a 2"], (await Directory.FindAsync("x")).Select(record => $"{record.Replica} {record.Attachment}"));
    }

    [Fact]
    public async Task Agents_that_say_no_instance_are_never_the_same()
    {
        await RenewBothAsync();
        await RegisterAsync("x", "a", 1, "");
        await RegisterAsync("x", "b", 1, "");

        Assert.Equal(2, (await Directory.FindAsync("x")).Count);
    }

    [Fact]
    public async Task A_name_that_may_be_had_once_is_refused_to_another_instance()
    {
        await RenewBothAsync();
        Assert.Equal(PeerRegistrationResult.Registered, (await RegisterAsync("x", "a", 1, "run-1", alone: true)).Result);
        Assert.Equal(PeerRegistrationResult.NameInUse, (await RegisterAsync("x", "b", 1, "run-2", alone: true)).Result);
        Assert.Equal(PeerRegistrationResult.Registered, (await RegisterAsync("x", "b", 2, "run-1", alone: true)).Result);

        Assert.Equal(["b 2"], (await Directory.FindAsync("x")).Select(record => $"{record.Replica} {record.Attachment}"));
    }

    [Fact]
    public async Task A_name_has_eight_records_at_most_and_those_of_dead_replicas_make_room()
    {
        await RenewBothAsync();
        for (var i = 1; i <= BackchannelDirectory.MaxRecordsPerName; i++)
        {
            Assert.Equal(PeerRegistrationResult.Registered, (await RegisterAsync("x", i == 1 ? "b" : "a", i, "")).Result);
        }

        Assert.Equal(PeerRegistrationResult.TooMany, (await RegisterAsync("x", "a", 9, "")).Result);
        Assert.Equal(8, (await Directory.FindAsync("x")).Count);

        await Directory.LeaveAsync("b");
        Assert.Equal(PeerRegistrationResult.Registered, (await RegisterAsync("x", "a", 9, "")).Result);
        Assert.All(await Directory.FindAsync("x"), record => Assert.Equal("a", record.Replica));
    }

    [Fact]
    public async Task Who_waits_is_told_of_what_comes_and_goes()
    {
        var told = new ConcurrentQueue<string>();
        Directory.Changed += told.Enqueue;
        await Directory.RenewAsync(Replica("a"), Long); // It is connected.

        await Guard.Until(
            async () =>
            {
                await RegisterAsync("x", "a", 1, "run-1");
                await Directory.UnregisterAsync(new PeerRecord("x", "a", 1, 0, "run-1"));
                return told.Count(name => name == "x") >= 2;
            },
            "it was told");

        Assert.All(told, name => Assert.Equal("x", name));
    }

    [Fact]
    public async Task What_was_given_up_before_it_began_throws_and_changes_nothing()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Directory.RenewAsync(Replica("a"), Long, cancelled.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await Directory.RegisterAsync(new PeerRecord("x", "a", 1, 0, ""), TimeSpan.Zero, alone: false, cancelled.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Directory.FindAsync("x", cancelled.Token));

        Assert.Empty(await Directory.FindAsync("x"));
    }

    [Fact]
    public async Task Many_at_once_of_one_name_have_different_generations()
    {
        await RenewBothAsync();
        var all = await Task.WhenAll(Enumerable.Range(1, BackchannelDirectory.MaxRecordsPerName).Select(i => RegisterAsync("x", "a", i, "").AsTask()));

        Assert.Equal(all.Length, all.Select(registration => registration.Generation).Distinct().Count());
        var records = await Directory.FindAsync("x");
        Assert.Equal(all.Select(registration => registration.Generation).OrderDescending(), records.Select(record => record.Generation));
    }

    private protected static ReplicaRecord Replica(string id, ReplicaState state = ReplicaState.Live) => new(id, new Uri($"https://{id}.internal:5002/"), state);

    private protected ValueTask<PeerRegistration> RegisterAsync(
        string name, string replica, long attachment, string instance, long generation = 0, TimeSpan age = default, bool alone = false)
        => Directory.RegisterAsync(new PeerRecord(name, replica, attachment, generation, instance), age, alone);

    // That both live.
    private async Task RenewBothAsync()
    {
        await Directory.RenewAsync(Replica("a"), Long);
        await Directory.RenewAsync(Replica("b"), Long);
    }
}
