namespace Yamux.Tests.Abuse;

/// <summary>Streams that the peer resets after they were accepted ("rapid reset"), with and without a window of data.</summary>
[Collection(AbuseCollection.Name)]
[Trait("Category", "Long")]
public class ResetTests(ITestOutputHelper output)
{
    private const long BareSession = 1 << 20;
    private const long Window = 262_144;
    private const uint Open = 100;

    [Fact]
    public async Task Streams_that_are_accepted_and_reset_in_turn_hold_nothing()
    {
        var siege = await Siege.RunAsync(output, Applications.ReadAndClose, static peer => OpenAndReset(peer, []), seconds: AttackDuration.ShortSeconds);

        siege.AssertOthersGoOn().AssertHeld().AssertMemory(BareSession + (1 << 20)).AssertFlat();
    }

    [Fact]
    public async Task Streams_that_are_reset_with_a_window_of_data_unread_hold_no_more_than_open_ones()
    {
        var siege = await Siege.RunAsync(output, Applications.AcceptAndKeep, static peer => OpenAndReset(peer, new byte[32 * 1024]), seconds: AttackDuration.ShortSeconds, goal: Goals.Held(1024 * Window));

        siege.AssertOthersGoOn().AssertHeld().AssertMemory(BareSession + (1024 * (Window + 16_384)));
    }

    [Fact]
    public async Task Streams_that_are_reset_with_a_window_of_data_unaccepted_hold_no_more_than_waiting_ones()
    {
        var siege = await Siege.RunAsync(output, Applications.Idle, static peer => OpenAndReset(peer, new byte[32 * 1024], waits: false), seconds: AttackDuration.ShortSeconds, goal: Goals.Sent(20 * Open));

        // Not flat: it fills a hundred windows again and again, and the session is ended after a thousand.
        siege.AssertOthersGoOn().AssertMemory(BareSession + (Open * (Window + 16_384)));
    }

    // A hundred at a time, reset when the session has answered each with the ACK of one that was accepted or the RST of one
    // that was refused, if that is waited for.
    private static void OpenAndReset(HostileConnection peer, byte[] payload, bool waits = true)
    {
        var answers = 0L;
        for (var first = 1u; ; first += 2 * Open)
        {
            for (var id = first; id < first + (2 * Open); id += 2)
            {
                peer.Frame(FrameKind.WindowUpdate, FrameFlag.Syn, id, 0);
                for (var sent = 0; payload.Length > 0 && sent < Window; sent += payload.Length)
                {
                    peer.Frame(FrameKind.Data, FrameFlag.None, id, (uint)payload.Length, payload);
                }
            }

            answers += waits ? Open : 0;
            peer.SendAndWaitFor(answers * Frame.HeaderSize);
            for (var id = first; id < first + (2 * Open); id += 2)
            {
                peer.Frame(FrameKind.WindowUpdate, FrameFlag.Rst, id, 0);
            }
        }
    }
}
