namespace Yamux.Tests.Model;

/// <summary>
/// Two sessions on a connection that moves when a step says so. The steps run one after the other; each begins an operation,
/// whose result is checked whenever it comes. What must have happened by then is checked whenever the world settles.
/// </summary>
internal sealed partial class World
{
    // A step that hangs fails the sequence; nothing depends on how long this is.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly Sequence _sequence;
    private readonly Ledger _ledger;
    private readonly StillTime _time = new();
    private readonly WarningLog _log = new();
    private readonly Wire _fromClient;
    private readonly Wire _fromServer;
    private readonly YamuxSession _client;
    private readonly YamuxSession _server;
    private readonly List<Pending> _pending = [];
    private int _fragment;
    private int _meanwhile;

    private World(Sequence sequence)
    {
        _sequence = sequence;
        _ledger = new Ledger(sequence);
        _fromClient = new Wire(_ledger, Side.Client);
        _fromServer = new Wire(_ledger, Side.Server);
        _client = NewSession(Side.Client, YamuxRole.Client);
        _server = NewSession(Side.Server, YamuxRole.Server);
    }

    /// <summary>Runs a sequence to its end.</summary>
    /// <exception cref="ModelException">It did not go as the model says.</exception>
    public static async Task RunAsync(Sequence sequence)
    {
        var world = new World(sequence);
        await world.SettleAsync();
        for (var i = 0; i < sequence.Streams; i++)
        {
            world.Do(new Step(StepKind.Open, Side.Client, 0, 0, Pace.Exchange));
            await world.ExchangeAsync();
            world.Do(new Step(StepKind.Accept, Side.Server, 0, 0, Pace.Exchange));
            await world.ExchangeAsync();
        }

        foreach (var step in sequence.Steps)
        {
            world.Do(step);
            await (step.Pace switch
            {
                Pace.Exchange => world.ExchangeAsync(),
                Pace.Settle => world.SettleAsync(),
                _ => Task.CompletedTask,
            });
        }

        await world.FinishAsync();
    }

    private YamuxSession this[Side side] => side == Side.Client ? _client : _server;

    private Wire From(Side side) => side == Side.Client ? _fromClient : _fromServer;

    private Wire To(Side side) => side == Side.Client ? _fromServer : _fromClient;

    private List<StreamSide> StreamsOf(Side side) => [.. _ledger.StreamsOf(side).Where(stream => stream.Stream is not null)];

    // Whether frames that this side was handed may still be on their way to their streams.
    private bool IsReceivingUnsynchronized(Side side)
        => Volatile.Read(ref _meanwhile) > 0 || this[side].Writer.IsBusy || !(To(side).Reader.IsParked || To(side).Reader.HasSeenEnd);

    private YamuxSession NewSession(Side side, YamuxRole role)
        => YamuxSession.Create(new DuplexPipe(To(side).Reader, From(side).Writer), role, _sequence.OptionsOf(side, _time), _log);

    // Everything that was begun ends, unless it waits for something that has not come.
    private async Task SettleAsync()
    {
        var begun = Environment.TickCount64;
        for (var round = 0; ; round++)
        {
            CheckResults();
            string? unmet;
            lock (_ledger.Gate)
            {
                unmet = Unmet();
                NoteSettledFinsUnsynchronized();
            }

            if (unmet is null)
            {
                CheckResults();
                return;
            }

            if (Environment.TickCount64 - begun > Limit.TotalMilliseconds)
            {
                throw new ModelException($"It does not come: {unmet}.");
            }

            if (round < 3)
            {
                await Task.Yield();
            }
            else
            {
                await _ledger.Happened.WaitAsync(TimeSpan.FromMilliseconds(2));
            }
        }
    }

    // Credit that stood in a write when the peer's FIN came still leaves with it.
    private void NoteSettledFinsUnsynchronized()
    {
        foreach (var side in new[] { Side.Client, Side.Server })
        {
            if (To(side).Reader.IsParked && !this[side].Writer.IsBusy)
            {
                foreach (var stream in StreamsOf(side).Where(stream => stream.Peer.FinDelivered))
                {
                    stream.PeerFinSettled = true;
                }
            }
        }
    }

    // All that was sent is delivered, in the sequence's fragments, until both sides are quiet.
    private async Task ExchangeAsync()
    {
        await SettleAsync();
        while (DeliverFragment(_fromClient) | DeliverFragment(_fromServer))
        {
            await SettleAsync();
        }
    }

    private bool DeliverFragment(Wire wire)
    {
        long waiting;
        lock (_ledger.Gate)
        {
            waiting = wire.Undelivered;
            if (waiting == 0 && !wire.EndWaits)
            {
                return false;
            }
        }

        // Small pieces of a little, larger ones of much: both ways headers are cut.
        var fragments = _sequence.Fragments;
        var size = (long)fragments[_fragment++ % fragments.Length];
        for (var left = waiting; left > 0; left -= size)
        {
            if (left > 2_000)
            {
                size += left / 3;
            }

            wire.Deliver(size);
            size = fragments[_fragment++ % fragments.Length];
        }

        if (waiting == 0)
        {
            wire.Deliver(0);
        }

        return true;
    }

    // The results of what has ended meanwhile.
    private void CheckResults()
    {
        for (var i = 0; i < _pending.Count; i++)
        {
            if (_pending[i].Task.IsCompleted)
            {
                var ended = _pending[i];
                _pending.RemoveAt(i--);
                ended.Check();
            }
        }

        if (_ledger.Fault is { } fault)
        {
            throw new ModelException($"{fault}.");
        }
    }

    private Pending Begin(string what, Task task, CancellationTokenSource? cancellation, Action<Pending> check)
    {
        var pending = new Pending(what, task, cancellation, check);
        _pending.Add(pending);
        if (!task.IsCompleted)
        {
            task.ContinueWith(
                static (_, ledger) => ((Ledger)ledger!).Pulse(), _ledger, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }

        return pending;
    }
}
