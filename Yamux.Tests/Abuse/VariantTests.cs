namespace Yamux.Tests.Abuse;

/// <summary>Frames that no limit counts, since correct peers send them too: they must cost little, and always the same.</summary>
[Collection(AbuseCollection.Name)]
[Trait("Category", "Long")]
public class VariantTests(ITestOutputHelper output)
{
    private const long BareSession = 1 << 20;

    [Fact]
    public async Task A_length_of_4_GiB_on_a_stream_that_is_not_open_is_dropped_as_it_comes()
    {
        var siege = await RunAsync(Applications.Idle, static peer =>
        {
            var zeros = new byte[32 * 1024];
            while (true)
            {
                peer.Frame(FrameKind.Data, FrameFlag.None, 1, uint.MaxValue);
                for (var left = (long)uint.MaxValue; left > 0; left -= zeros.Length)
                {
                    peer.Raw(zeros.AsSpan(0, (int)Math.Min(left, zeros.Length)));
                }
            }
        }, Goals.Sent(1));

        siege.AssertOthersGoOn().AssertHeld().AssertMemory(BareSession).AssertFlat();
    }

    [Fact]
    public async Task Flags_that_change_nothing_and_words_to_the_session_are_passed_over()
    {
        var siege = await RunAsync(Applications.AcceptAndKeep, static peer =>
        {
            peer.Frame(FrameKind.WindowUpdate, FrameFlag.Syn, 1, 0);
            for (var id = 3u; ; id += 2)
            {
                peer.Frame(FrameKind.WindowUpdate, FrameFlag.Fin, 1, 0);
                peer.Frame(FrameKind.WindowUpdate, FrameFlag.Ack, 1, 0);
                peer.Frame(FrameKind.WindowUpdate, FrameFlag.Fin, id, 0);
                peer.Frame(FrameKind.WindowUpdate, FrameFlag.Rst, id, 0);
                peer.Frame(FrameKind.Data, FrameFlag.Ack | FrameFlag.Fin, id, 0);
                peer.Frame(FrameKind.WindowUpdate, FrameFlag.None, id, 1);
                peer.Frame(FrameKind.Ping, FrameFlag.Ack, 0, id);
                peer.Frame(FrameKind.Ping, FrameFlag.Syn | FrameFlag.Ack, 0, id);
                peer.Frame(FrameKind.GoAway, FrameFlag.None, 0, 0);
            }
        });

        siege.AssertOthersGoOn().AssertHeld().AssertMemory(BareSession).AssertFlat().AssertWorkPerFrame();
    }

    [Fact]
    public async Task Credit_of_one_byte_at_a_time_costs_a_frame_of_one_byte_each()
    {
        var siege = await RunAsync(Applications.Write, static peer =>
        {
            peer.Frame(FrameKind.WindowUpdate, FrameFlag.Syn, 1, 0);
            while (true)
            {
                peer.Frame(FrameKind.WindowUpdate, FrameFlag.None, 1, 1);
            }
        });

        siege.AssertOthersGoOn().AssertHeld().AssertMemory(BareSession).AssertFlat().AssertWorkPerFrame();
    }

    private Task<Siege> RunAsync(Func<YamuxSession, Task> application, Action<HostileConnection> attack, Func<IReadOnlyList<Sample>, bool>? goal = null)
        => Siege.RunAsync(output, application, attack, seconds: AttackDuration.ShortSeconds, goal: goal);
}
