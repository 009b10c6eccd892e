using Yamux.IO;

namespace Yamux.Tests.IO;

/// <summary>Who waits for room is woken in the order in which he came, and only if there is some.</summary>
public class TurnQueueTests
{
    private const int LeavingRounds = 5_000;

    private readonly TurnQueue _turns = new();
    private readonly AsyncSignal[] _signals = [.. Enumerable.Range(0, 5).Select(_ => new AsyncSignal())];

    [Fact]
    public void As_many_are_woken_as_find_room()
    {
        WaitAll(wanted: 10);

        _turns.Promise(room: 11);

        Assert.Equal([true, true, false, false, false], Turns(room: 11));
    }

    [Fact]
    public void None_is_woken_for_room_that_another_was_promised()
    {
        WaitAll(wanted: 10);
        _turns.Promise(room: 10);

        _turns.Promise(room: 10);

        Assert.Equal([true, false, false, false, false], Turns(room: 10));
    }

    [Fact]
    public void Who_has_appended_makes_room_for_a_promise_again()
    {
        WaitAll(wanted: 10);
        _turns.Promise(room: 10);

        _turns.Leave(ref _signals[0].Turn);
        _turns.Promise(room: 5);

        Assert.Equal([false, true, false, false, false], Turns(room: 5));
    }

    [Fact]
    public void Who_leaves_passes_his_turn_on_whether_it_was_promised_or_not()
    {
        WaitAll(wanted: 10);
        _turns.Promise(room: 10);

        _turns.Leave(ref _signals[0].Turn);
        _turns.Leave(ref _signals[1].Turn);
        _turns.Promise(room: 10);

        Assert.Equal([false, false, true, false, false], Turns(room: 10));
    }

    [Fact]
    public async Task A_turn_that_is_promised_while_its_sender_leaves_is_passed_on()
    {
        var gate = new Lock();
        var (leaving, late) = (_signals[0], _signals[1]);
        var (begun, left) = (0, 0);
        var sender = Task.Factory.StartNew(
            () =>
            {
                for (var round = 1; round <= LeavingRounds; round++)
                {
                    SpinUntil(ref begun, round);
                    Thread.SpinWait(round % 40);
                    if (leaving.Turn.IsTaken)
                    {
                        lock (gate)
                        {
                            _turns.Leave(ref leaving.Turn);
                        }
                    }

                    Volatile.Write(ref left, round);
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        var lost = 0;
        for (var round = 1; round <= LeavingRounds; round++)
        {
            lock (gate)
            {
                _turns.Wait(leaving, wanted: 10);
            }

            Volatile.Write(ref begun, round);
            Thread.SpinWait(round % 37);
            lock (gate)
            {
                _turns.Promise(room: 1);
            }

            SpinUntil(ref left, round);
            lost += _turns.MayAppend(late.Turn, room: 1) ? 0 : 1;
        }

        await sender;
        Assert.Equal(0, lost);
    }

    [Fact]
    public void Who_comes_stands_behind_those_who_wait_and_those_who_were_promised_the_room()
    {
        var late = new AsyncSignal();
        WaitAll(wanted: 10);
        Assert.False(_turns.MayAppend(late.Turn, room: 100));
        _turns.Promise(room: 50);

        Assert.False(_turns.MayAppend(late.Turn, room: 50));
        Assert.True(_turns.MayAppend(late.Turn, room: 51));
    }

    [Fact]
    public void Who_finds_no_room_when_it_is_his_turn_stays_the_first()
    {
        WaitAll(wanted: 10);
        _turns.Promise(room: 10);
        Assert.False(_turns.MayAppend(_signals[0].Turn, room: 0));

        _turns.Wait(_signals[0], wanted: 20);
        _turns.Promise(room: 20);

        Assert.Equal([true, false, false, false, false], Turns(room: 20));
    }

    [Fact]
    public void Who_comes_again_while_he_waits_keeps_his_place()
    {
        WaitAll(wanted: 10);

        _turns.Wait(_signals[0], wanted: 10);
        _turns.Promise(room: 1);

        Assert.Equal([true, false, false, false, false], Turns(room: 1));
    }

    private void WaitAll(int wanted) => Array.ForEach(_signals, signal => _turns.Wait(signal, wanted));

    private bool[] Turns(int room) => Array.ConvertAll(_signals, signal => _turns.MayAppend(signal.Turn, room));

    // Two threads meet within some instructions; with a Barrier they did not.
    private static void SpinUntil(ref int value, int reached)
    {
        while (Volatile.Read(ref value) < reached)
        {
            Thread.SpinWait(1);
        }
    }
}
