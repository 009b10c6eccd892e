using System.Globalization;
using System.Runtime.CompilerServices;
using Yamux.Tests.Lessons;

namespace Yamux.Tests.Limits;

/// <summary>
/// The totals of docs/limits.md are met, and not exceeded, by a peer that uses all the credit it gets. The memory of the process counts, so these
/// run alone.
/// </summary>
[Collection(nameof(MemoryTests))]
public class TotalTests
{
    private const int MiB = 1024 * 1024;

    // What the test itself and the pool hold.
    private const long Slack = MiB;

    private readonly YamuxOptions _options = new() { AcceptBacklog = 6, MaxInboundStreams = 16, MaxSessionWindowGrowth = (2 * MiB) + 1000, MaxQueuedAnswers = 5000 };

    [Fact]
    public void The_page_has_the_totals_of_the_defaults()
    {
        var defaults = new YamuxOptions();
        var page = File.ReadAllText(Path.Combine(Folder(), "..", "..", "docs", "limits.md"));

        AssertRow(page, "`AcceptBacklog` × 262,144", Totals.Unaccepted(defaults));
        AssertRow(page, "`MaxInboundStreams` × 262,144", Totals.Unread(defaults));
        AssertRow(page, "`MaxInboundStreams` × 262,144 + ¾ × `MaxSessionWindowGrowth`", Totals.UnreadFirstWindows(defaults));
        AssertRow(page, "(`MaxInboundStreams` + own streams) × 262,144 + `MaxSessionWindowGrowth`", Totals.Received(defaults, ownStreams: 0));
    }

    [Fact]
    public async Task Streams_that_nobody_accepts_hold_AcceptBacklog_windows()
    {
        await using var t = Scenario.Server(Configure);
        var before = GC.GetTotalMemory(forceFullCollection: true);

        await FillAsync(t, streams: 40);

        AssertMemory(before, Totals.Unaccepted(_options), _options.AcceptBacklog);
        Assert.Equal(Totals.Unaccepted(_options), await HeldAsync(await AcceptAllAsync(t)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Streams_that_nobody_reads_hold_MaxInboundStreams_windows_also_if_they_were_reset(bool areReset)
    {
        await using var t = Scenario.Server(Configure);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var streams = new List<YamuxStream>();
        for (var id = 1u; id < 80; id += 2)
        {
            await t.Peer.SendAsync(Frame.Syn(id), Frame.Data(id, new byte[Totals.Window]));
            await t.Peer.ReadAllAsync();
            if (t.Session.StreamCount > 0 && streams.Count < _options.MaxInboundStreams)
            {
                streams.Add((await t.Session.AcceptStreamAsync().Guarded())!);
            }

            if (areReset)
            {
                await t.Peer.SendAsync(Frame.Rst(id));
            }
        }

        await t.Peer.ReadAllAsync();
        AssertMemory(before, Totals.Unread(_options), streams.Count);
        Assert.Equal(Totals.Unread(_options), await HeldAsync(streams));
    }

    [Theory]
    [InlineData("lent to readers that consume nothing", 262_144)]
    [InlineData("told with the ACK", MiB)]
    public async Task Whatever_the_application_does_the_growth_of_the_session_comes_once(string growth, int window)
    {
        const int OwnStreams = 3;
        Assert.NotEmpty(growth);
        await using var t = Scenario.Server(options =>
        {
            Configure(options);
            options.AcceptBacklog = options.MaxInboundStreams;
            options.FixWindows(window);
        });
        var before = GC.GetTotalMemory(forceFullCollection: true);
        await FillAsync(t, streams: 40);
        var streams = await AcceptAllAsync(t);
        for (var i = 0; i < OwnStreams; i++)
        {
            streams.Add(await t.Session.OpenStreamAsync().Guarded());
        }

        var readers = streams.ConvertAll(ExamineUntilStuckAsync);
        var peer = SendAllAsync(t.Peer);
        var held = await Task.WhenAll(readers).Guarded();

        Assert.Equal(Totals.Received(_options, OwnStreams), held.Sum());
        AssertMemory(before, Totals.Received(_options, OwnStreams), readers.Count);
        t.Session.Abort();
        await Guard.EndedAsync(peer);
    }

    [Fact]
    public async Task A_reader_that_leaves_a_byte_of_each_array_makes_it_hold_no_more_than_that_array()
    {
        await using var t = Scenario.Server(Configure);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var streams = new List<YamuxStream>();
        for (var id = 1u; streams.Count < _options.MaxInboundStreams; id += 2)
        {
            var stream = await t.AcceptAsync(id);
            streams.Add(stream);
            await t.Peer.SendAsync(Frame.Data(id, new byte[Totals.Window]));
            await t.Peer.ExpectNothingAsync();
            await stream.Input.TakeAsync((int)(Totals.Window / 2) - 1);
            await stream.Input.TakeAsync(1);
            await t.Peer.ExpectAsync(Frame.Credit(id, (uint)Totals.Window / 2));
            await t.Peer.SendAsync(Frame.Data(id, new byte[1]), Frame.DataHeader(id, (uint)(Totals.Window / 2) - 1));
            await t.Peer.SendRawAsync(new byte[1]);
            await t.Peer.SendRawAsync(new byte[(Totals.Window / 2) - 2]);
        }

        await t.Peer.ExpectNothingAsync();
        AssertMemory(before, Totals.Unread(_options), streams.Count);
        Assert.Equal(Totals.Unread(_options), await HeldAsync(streams));
    }

    [Fact]
    public async Task A_peer_that_gives_all_credit_and_reads_nothing_makes_it_hold_what_waits_and_what_is_being_written()
    {
        const int Streams = 16;
        await using var t = Scenario.Stalled(configure: Configure);
        var data = new byte[MiB];
        var streams = new List<YamuxStream>();
        for (var i = 0; i < Streams; i++)
        {
            streams.Add(await t.OpenAsync(credit: uint.MaxValue - (uint)Totals.Window));
        }

        await t.Peer.ExpectNothingAsync();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var writes = streams.Select(stream => t.EndsWithSession(stream.Output.WriteAsync(data))).ToList();
        await t.Peer.PeekAsync();
        await t.Peer.SendAsync(Enumerable.Range(0, _options.MaxQueuedAnswers - 100).Select(i => Frame.Ping((uint)i)));
        await t.Peer.SendAsync(streams.Select(stream => Frame.Data(stream.Id, [1])));
        foreach (var stream in streams)
        {
            await stream.Input.TakeAsync(1); // So it has looked at what came before.
        }

        Assert.All(writes, write => Assert.False(write.IsCompleted));
        AssertMemory(before, Totals.Sent(_options), streams: 0);
    }

    private void Configure(YamuxOptions options)
    {
        options.AcceptBacklog = _options.AcceptBacklog;
        options.MaxInboundStreams = _options.MaxInboundStreams;
        options.MaxSessionWindowGrowth = _options.MaxSessionWindowGrowth;
        options.MaxQueuedAnswers = _options.MaxQueuedAnswers;
    }

    private static async Task FillAsync(Scenario t, int streams)
    {
        for (var id = 1u; id < 2 * streams; id += 2)
        {
            await t.Peer.SendAsync(Frame.Syn(id), Frame.Data(id, new byte[Totals.Window]));
        }

        await t.Peer.ReadAllAsync();
    }

    private static async Task<List<YamuxStream>> AcceptAllAsync(Scenario t)
    {
        var streams = new List<YamuxStream>();
        while (streams.Count < t.Session.StreamCount)
        {
            streams.Add((await t.Session.AcceptStreamAsync().Guarded())!);
        }

        return streams;
    }

    private static async Task<long> HeldAsync(IEnumerable<YamuxStream> streams)
    {
        var held = 0L;
        foreach (var stream in streams)
        {
            held += (await stream.Input.ReadAsync().Guarded()).Buffer.Length;
        }

        return held;
    }

    // What a reader has that looks for what never comes, when it is told that no more will come.
    private static async Task<long> ExamineUntilStuckAsync(YamuxStream stream)
    {
        while (true)
        {
            try
            {
                var read = await stream.Input.ReadAsync();
                stream.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            }
            catch (YamuxException stuck)
            {
                Assert.Equal(YamuxErrorCode.ReadLimitExceeded, stuck.ErrorCode);
                return (await stream.Input.ReadAsync()).Buffer.Length;
            }
        }
    }

    // All the credit that comes is used; on streams that the session opens, also what each has from the start.
    private static async Task SendAllAsync(ScriptedPeer peer)
    {
        while (await peer.TryReadAsync() is { } frame)
        {
            var initial = frame.Flags.HasFlag(FrameFlag.Syn) ? Totals.Window : 0;
            if (frame.Kind == FrameKind.WindowUpdate && frame.Length + initial > 0)
            {
                await peer.SendAsync(Frame.Data(frame.StreamId, new byte[frame.Length + initial]));
            }
        }
    }

    private static void AssertMemory(long before, long total, int streams)
        => Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, total + (streams * Totals.Arrays) + Slack);

    private static void AssertRow(string page, string formula, long total)
        => Assert.Contains(page.Split('\n'), line => line.Contains($"| {formula} |", StringComparison.Ordinal)
            && line.Contains(string.Create(CultureInfo.InvariantCulture, $"| {total / MiB} MiB |"), StringComparison.Ordinal));

    private static string Folder([CallerFilePath] string caller = "") => Path.GetDirectoryName(caller)!;
}
