namespace Yamux.Tests.Abuse;

/// <summary>A peer that makes us send and does not read.</summary>
[Collection(AbuseCollection.Name)]
[Trait("Category", "Long")]
public class UnreadTests(ITestOutputHelper output)
{
    private const long BareSession = 1 << 20;
    private const long Window = 262_144;

    // So much may wait to be sent before no stream is accepted, and so much a stream that is accepted and closed adds to it.
    // The sockets of both ends are set to less than this together.
    private const long Waiting = 262_144;
    private const long Sockets = 65_536;
    private const long AckAndFin = 2 * Frame.HeaderSize;

    [Fact]
    public async Task Pongs_that_are_never_read_end_the_session()
    {
        var siege = await Siege.RunAsync(
            output,
            Applications.Idle,
            static peer =>
            {
                for (var value = 0u; ; value++)
                {
                    peer.Frame(FrameKind.Ping, FrameFlag.Syn, 0, value);
                }
            },
            reads: false,
            seconds: AttackDuration.ShortSeconds);

        // Most frames lie in the sockets when the session ends, so there is no work per frame to be told.
        siege.AssertOthersGoOn().AssertEnded(YamuxErrorCode.ProtocolError).AssertMemory(BareSession).AssertFlat();
    }

    [Fact]
    public async Task Echoes_that_are_never_read_hold_the_windows_and_the_backlog_of_writes()
    {
        var siege = await Siege.RunAsync(
            output,
            Applications.Echo,
            static peer =>
            {
                var payload = new byte[32 * 1024];
                for (var id = 1u; id < 200; id += 2)
                {
                    peer.Frame(FrameKind.WindowUpdate, FrameFlag.Syn, id, 1 << 30);
                    for (var sent = 0; sent < Window; sent += payload.Length)
                    {
                        peer.Frame(FrameKind.Data, FrameFlag.None, id, (uint)payload.Length, payload);
                    }
                }
            },
            reads: false,
            goal: samples => Goals.Held(100 * Window)(samples) && Goals.Ended(1)(samples));

        // What is read waits in the writers, a window for each of the hundred streams; behind the flush at most 128 KiB and a frame.
        // Not flat: one session empties while the next one fills.
        siege.AssertOthersGoOn().AssertEnded(YamuxErrorCode.ConnectionWriteTimeout).AssertMemory(BareSession + (100 * 2 * (Window + 16_384)) + (192 * 1024));
    }

    [Fact]
    public async Task Streams_that_are_accepted_and_closed_in_turn_do_not_fill_what_is_never_read()
    {
        long closed = 0;
        long read = 0;
        var siege = await Siege.RunAsync(
            output,
            session => Applications.ReadAndClose(session, () => Interlocked.Increment(ref closed)),
            peer =>
            {
                var target = Interlocked.Read(ref closed);
                for (var id = 1u; ;)
                {
                    // No faster than they are taken, or they would be refused.
                    if (Interlocked.Read(ref closed) >= target)
                    {
                        for (var i = 0; i < 100; i++, id += 2)
                        {
                            peer.Frame(FrameKind.WindowUpdate, FrameFlag.Syn | FrameFlag.Fin, id, 0);
                        }

                        peer.Send();
                        target += 100;
                    }

                    if (SpinWait.SpinUntil(() => Interlocked.Read(ref closed) >= target, TimeSpan.FromMilliseconds(100)))
                    {
                        continue;
                    }

                    // Enough for a write to end now and then, or the session would end.
                    peer.ReadSome(512);
                    Interlocked.Exchange(ref read, peer.Received);
                }
            },
            reads: false,
            seconds: 2 * AttackDuration.ShortSeconds,
            goal: _ => Interlocked.Read(ref closed) * AckAndFin >= Waiting);

        // 256 KiB of ACK and FIN, and the streams that wait to be accepted.
        siege.AssertOthersGoOn().AssertHeld().AssertMemory(BareSession + (1 << 20)).AssertFlat();

        // The flush under way is no more than as much again: it began with what waited then.
        output.WriteLine($"closed {closed:N0} streams, read {read:N0} bytes");
        Assert.InRange(closed, Waiting / AckAndFin, (((2 * Waiting) + Sockets + read) / AckAndFin) + 256);
    }
}
