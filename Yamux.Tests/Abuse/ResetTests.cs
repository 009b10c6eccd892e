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

        siege.AssertOthersGoOn().AssertMemory(BareSession + (1024 * 16_384));
    }

    [Fact]
    public async Task Streams_that_are_reset_with_a_window_of_data_unread_hold_no_more_than_open_ones()
    {
        var siege = await Siege.RunAsync(output, Applications.AcceptAndKeep, static peer => OpenAndReset(peer, new byte[32 * 1024]), seconds: AttackDuration.ShortSeconds);

        siege.AssertOthersGoOn().AssertMemory(BareSession + (1024 * (Window + 16_384)));
    }

    [Fact]
    public async Task Streams_that_are_reset_with_a_window_of_data_unaccepted_hold_no_more_than_waiting_ones()
    {
        var siege = await Siege.RunAsync(output, Applications.Idle, static peer => OpenAndReset(peer, new byte[32 * 1024]), seconds: AttackDuration.ShortSeconds);

        siege.AssertOthersGoOn().AssertEnded(YamuxErrorCode.ProtocolError).AssertMemory(BareSession + (Open * (Window + 16_384)));
    }

    // A hundred are open at any time, so that the server gets to accept them.
    private static void OpenAndReset(HostileConnection peer, byte[] payload)
    {
        for (var id = 1u; ; id += 2)
        {
            peer.Frame(FrameKind.WindowUpdate, FrameFlag.Syn, id, 0);
            for (var sent = 0; payload.Length > 0 && sent < Window; sent += payload.Length)
            {
                peer.Frame(FrameKind.Data, FrameFlag.None, id, (uint)payload.Length, payload);
            }

            if (id > 2 * Open)
            {
                peer.Frame(FrameKind.WindowUpdate, FrameFlag.Rst, id - (2 * Open), 0);
            }

            if (id % Open == 1)
            {
                peer.SendAndPause();
            }
        }
    }
}
