namespace Yamux.Tests.Abuse;

/// <summary>Sessions that the peer keeps without doing much on them, or for what it has sent.</summary>
[Collection(AbuseCollection.Name)]
[Trait("Category", "Long")]
public class HeldTests(ITestOutputHelper output)
{
    private const long BareSession = 1 << 20;
    private const long Window = 262_144;

    // What a stream costs beyond its bytes: its objects, its pipe's segments and the last of them, which is not full.
    private const long StreamOverhead = 16 * 1024;

    [Fact]
    public async Task Half_a_header_and_silence_holds_the_buffers_of_a_bare_session()
    {
        var siege = await Siege.RunAsync(output, Applications.Idle, static peer => peer.Raw([0, 1, 0, 0, 0, 0]), connections: 50, goal: Goals.Connected(50));

        siege.AssertOthersGoOn().AssertHeld(50).AssertMemory(BareSession).AssertFlat().AssertIdle();
    }

    [Fact]
    public async Task A_full_window_on_every_stream_that_may_wait_to_be_accepted_is_64_MiB()
    {
        var siege = await Siege.RunAsync(output, Applications.Idle, FillAllWindows, seconds: AttackDuration.ShortSeconds, goal: Goals.Held(256 * Window));

        siege.AssertOthersGoOn().AssertHeld().AssertMemory(BareSession + (256 * (Window + StreamOverhead)));
    }

    [Fact]
    public async Task A_full_window_on_every_stream_that_may_be_open_is_256_MiB()
    {
        var siege = await Siege.RunAsync(output, Applications.AcceptAndKeep, FillAllWindows, goal: samples => Goals.Held(1024 * Window)(samples) && Goals.IsStill(samples));

        // Not flat: a busy machine fills windows for as long as the siege was meant to last.
        siege.AssertOthersGoOn().AssertHeld().AssertMemory(BareSession + (1024 * (Window + StreamOverhead))).AssertIdle();
    }

    private static void FillAllWindows(HostileConnection peer)
    {
        var payload = new byte[32 * 1024];
        for (var id = 1u; id < 2 * 2000; id += 2)
        {
            peer.Frame(FrameKind.WindowUpdate, FrameFlag.Syn, id, 0);
            for (var sent = 0; sent < Window; sent += payload.Length)
            {
                peer.Frame(FrameKind.Data, FrameFlag.None, id, (uint)payload.Length, payload);
            }
        }
    }
}
