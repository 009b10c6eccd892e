namespace Yamux.Tests.Abuse;

/// <summary>Frames that cost the peer twelve bytes or little more, as fast as it can send them.</summary>
[Collection(AbuseCollection.Name)]
[Trait("Category", "Long")]
public class FloodTests(ITestOutputHelper output)
{
    private const int FirstWindow = 1024 * 1024;

    // A session with nothing on its streams: its own buffers for the transport, and what the sockets' async operations keep.
    private const long BareSession = 1 << 20;
    private const uint Backlog = 256;

    // So many questions, whose answers are then read, are no more than may be queued; more at once are, sooner or later.
    private const uint AtOnce = 512;

    [Fact]
    public async Task Pings_are_answered_and_hold_nothing()
    {
        var siege = await Siege.RunAsync(output, Applications.Idle, static peer =>
        {
            for (var value = 1u; ; value++)
            {
                peer.Frame(FrameKind.Ping, FrameFlag.Syn, 0, value);
                if (value % AtOnce == 0)
                {
                    peer.SendAndWaitFor(value * Frame.HeaderSize);
                }
            }
        });

        siege.AssertOthersGoOn().AssertHeld().AssertMemory(BareSession).AssertFlat().AssertWorkPerFrame();
    }

    [Fact]
    public async Task SYNs_beyond_the_backlog_are_refused_and_hold_nothing()
    {
        var siege = await Siege.RunAsync(output, Applications.Idle, static peer =>
        {
            for (var number = 0u; ; number++)
            {
                peer.Frame(FrameKind.WindowUpdate, FrameFlag.Syn, (2 * number) + 1, 0);
                if (number > Backlog && number % AtOnce == 0)
                {
                    peer.SendAndWaitFor((number - Backlog) * Frame.HeaderSize);
                }
            }
        });

        // 256 streams wait, each with its pipe and its state.
        siege.AssertOthersGoOn().AssertHeld().AssertMemory(BareSession + (Backlog * 4096)).AssertFlat().AssertWorkPerFrame();
    }

    [Fact]
    public async Task SYN_and_RST_end_the_session_at_the_thousand_and_first()
    {
        var siege = await Siege.RunAsync(output, Applications.Idle, static peer =>
        {
            for (var id = 1u; id < 2 * 1001; id += 2)
            {
                peer.Frame(FrameKind.WindowUpdate, FrameFlag.Syn, id, 0);
                peer.Frame(FrameKind.WindowUpdate, FrameFlag.Rst, id, 0);
            }

            peer.SendAndBeThrownOut();
        });

        siege.AssertOthersGoOn().AssertEnded(YamuxErrorCode.ProtocolError).AssertMemory(BareSession).AssertFlat().AssertWorkPerFrame();
    }

    [Fact]
    public async Task Window_updates_of_0_end_the_session_at_the_ten_thousand_and_first()
    {
        var siege = await Siege.RunAsync(output, Applications.AcceptAndKeep, static peer =>
        {
            peer.Frame(FrameKind.WindowUpdate, FrameFlag.Syn, 1, 0);
            for (var i = 0; i < 10_001; i++)
            {
                peer.Frame(FrameKind.WindowUpdate, FrameFlag.None, 1, 0);
            }

            peer.SendAndBeThrownOut();
        });

        siege.AssertOthersGoOn().AssertEnded(YamuxErrorCode.ProtocolError).AssertMemory(BareSession).AssertFlat().AssertWorkPerFrame();
    }

    [Fact]
    public async Task Empty_Data_ends_the_session_at_the_ten_thousand_and_first()
    {
        var siege = await Siege.RunAsync(output, Applications.AcceptAndKeep, static peer =>
        {
            peer.Frame(FrameKind.WindowUpdate, FrameFlag.Syn, 1, 0);
            for (var i = 0; i < 10_001; i++)
            {
                peer.Frame(FrameKind.Data, FrameFlag.None, 1, 0);
            }

            peer.SendAndBeThrownOut();
        });

        siege.AssertOthersGoOn().AssertEnded(YamuxErrorCode.ProtocolError).AssertMemory(BareSession).AssertFlat().AssertWorkPerFrame();
    }

    [Fact]
    public async Task Data_of_one_byte_that_nobody_reads_holds_a_window_and_then_ends_the_session()
    {
        var siege = await Siege.RunAsync(output, Applications.AcceptAndKeep, static peer =>
        {
            peer.Frame(FrameKind.WindowUpdate, FrameFlag.Syn, 1, 0);
            for (var i = 0; i <= FirstWindow; i++)
            {
                peer.Frame(FrameKind.Data, FrameFlag.None, 1, 1, [0]);
            }

            peer.SendAndBeThrownOut();
        });

        // One window, in segments of which the last is not full.
        siege.AssertOthersGoOn().AssertEnded(YamuxErrorCode.ProtocolError).AssertMemory(BareSession + FirstWindow + 4096).AssertFlat().AssertWorkPerFrame();
    }

    [Fact]
    public async Task Data_for_closed_streams_is_dropped()
    {
        var siege = await Siege.RunAsync(output, Applications.Abort, static peer =>
        {
            Span<byte> payload = stackalloc byte[64];
            for (var id = 1u; id < 200; id += 2)
            {
                peer.Frame(FrameKind.WindowUpdate, FrameFlag.Syn, id, 0);
            }

            for (var id = 1u; ; id = (id + 2) % 200)
            {
                peer.Frame(FrameKind.Data, FrameFlag.None, id, (uint)payload.Length, payload);
            }
        });

        siege.AssertOthersGoOn().AssertHeld().AssertMemory(BareSession).AssertFlat().AssertWorkPerFrame();
    }

    [Fact]
    public async Task A_length_of_4_GiB_ends_the_session()
    {
        var siege = await Siege.RunAsync(
            output,
            Applications.AcceptAndKeep,
            static peer => peer.Frame(FrameKind.Data, FrameFlag.Syn, 1, uint.MaxValue, new byte[32 * 1024]),
            seconds: AttackDuration.ShortSeconds,
            goal: Goals.Sent(2));

        siege.AssertOthersGoOn().AssertEnded(YamuxErrorCode.ProtocolError).AssertMemory(BareSession).AssertFlat();
    }
}
