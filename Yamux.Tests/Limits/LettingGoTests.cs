using Yamux.Tests.Lessons;

namespace Yamux.Tests.Limits;

/// <summary>
/// What this end lets go of is given back at once, whether the peer has reset the stream before, does so later, or never; and none of it can be read
/// any more. The memory of the process counts, so these run alone.
/// </summary>
[Collection(nameof(MemoryTests))]
public class LettingGoTests
{
    private const int AtOnce = 4;
    private const int Streams = 200;
    private const int Window = 262_144;

    private static readonly Dictionary<string, Func<YamuxStream, Task>> LetGo = new()
    {
        ["aborted"] = stream =>
        {
            stream.Abort();
            return Task.CompletedTask;
        },
        ["aborted with its bytes in hand"] = async stream =>
        {
            var read = await stream.Input.ReadAsync();
            stream.Abort();
            stream.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        },
        ["aborted after its bytes were examined"] = async stream =>
        {
            var read = await stream.Input.ReadAsync();
            stream.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            stream.Abort();
        },
        ["its output completed with an error"] = async stream => await stream.Output.CompleteAsync(new InvalidDataException()),
        ["its input completed"] = async stream => await stream.Input.CompleteAsync(),
        ["disposed"] = async stream => await stream.DisposeAsync().Guarded(),
        ["disposed as a Stream"] = async stream => await stream.AsStream().DisposeAsync().Guarded(),
    };

    public static TheoryData<string, bool> Ways { get; } = new(
        from way in LetGo.Keys
        from isResetBefore in new[] { false, true }
        select (way, isResetBefore));

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Many_streams_with_a_window_of_data_each_hold_nothing(string way, bool isResetBefore)
    {
        await using var t = Scenario.Server(options => options.MaxInboundStreams = AtOnce);
        var streams = new List<YamuxStream>();
        var data = new byte[Window];
        var before = GC.GetTotalMemory(forceFullCollection: true);

        for (var first = 1u; streams.Count < Streams; first += 2 * AtOnce)
        {
            for (var id = first; id < first + (2 * AtOnce); id += 2)
            {
                streams.Add(await t.AcceptAsync(id));
                await t.Peer.SendAsync(Frame.Data(id, data));
            }

            await t.Peer.ExpectNothingAsync();
            if (isResetBefore)
            {
                await ResetAsync(t, first);
            }

            foreach (var stream in streams[^AtOnce..])
            {
                await LetGo[way](stream);
            }

            await t.Peer.ReadAllAsync();
            if (!isResetBefore && streams.Count < Streams)
            {
                await ResetAsync(t, first);
            }
        }

        // What a session holds at one time may stand in the pool.
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 4L * AtOnce * Window);
        foreach (var stream in streams)
        {
            AssertTold(Record.Exception(() => stream.Input.TryRead(out _)));
            AssertTold(await Record.ExceptionAsync(() => stream.Input.ReadAsync().Guarded()));
        }
    }

    [Fact]
    public async Task A_stream_that_has_ended_is_not_kept_for_credit_that_its_peer_did_not_read()
    {
        await using var t = Scenario.Stalled(YamuxRole.Server);
        await t.Peer.SendAsync(Frame.Syn(1));
        await t.Session.AcceptStreamAsync().Guarded();
        await t.Peer.PeekAsync();

        var ended = new List<WeakReference>();
        for (var id = 3u; id < 103; id += 2)
        {
            ended.Add(await CreditAndEndAsync(t, id));
        }

        GC.Collect();
        Assert.InRange(ended.Count(stream => stream.IsAlive), 0, 2);
    }

    private static async Task<WeakReference> CreditAndEndAsync(Scenario t, uint id)
    {
        await t.Peer.SendAsync(Frame.Syn(id), Frame.Data(id, new byte[Window / 2]));
        var stream = (await t.Session.AcceptStreamAsync().Guarded())!;
        await stream.Input.TakeAsync(Window / 2);
        await t.Peer.SendAsync(Frame.Fin(id));
        await stream.Input.ExpectEndAsync();
        await stream.DisposeAsync().Guarded();
        return new WeakReference(stream);
    }

    private static async Task ResetAsync(Scenario t, uint first)
    {
        await t.Peer.SendAsync(Enumerable.Range(0, AtOnce).Select(i => Frame.Rst(first + (2 * (uint)i))));
        await t.Peer.ExpectNothingAsync();
    }

    // By what this end has done, or by what the peer did before.
    private static void AssertTold(Exception? failure) => Assert.True(failure is YamuxException or ObjectDisposedException, $"{failure}");
}
