using System.IO.Pipelines;

namespace Yamux.Tests.Kit;

/// <summary>A pipe as a transport of its own class, which notes how it is ended.</summary>
public sealed class RecordingTransport(IDuplexPipe pipe) : YamuxTransport
{
    private readonly Lock _gate = new();
    private readonly List<string> _calls = [];

    public override PipeReader Input => pipe.Input;

    public override PipeWriter Output => pipe.Output;

    /// <summary>What TryShutdownSendAsync does; by default it cannot.</summary>
    public Func<CancellationToken, ValueTask<bool>> ShutdownSend { get; init; } = _ => new(false);

    /// <summary>What DisposeAsync does; by default it ends at once.</summary>
    public Func<ValueTask> Disposal { get; init; } = () => default;

    /// <summary>What Abort and AbortAfter throw, though they must not.</summary>
    public Exception? AbortFailure { get; init; }

    /// <summary>What it says of an end of its input.</summary>
    public bool SaysReset { get; init; }

    internal override bool WasReset => SaysReset;

    /// <summary>The calls that have ended it until now, in their order.</summary>
    public IReadOnlyList<string> Calls
    {
        get
        {
            lock (_gate)
            {
                return [.. _calls];
            }
        }
    }

    public override void Abort(Exception reason) => NoteOrFail(nameof(Abort));

    public override void AbortAfter(TimeSpan timeout, TimeProvider timeProvider, Exception reason) => NoteOrFail($"{nameof(AbortAfter)} {timeout.TotalSeconds} s");

    public override ValueTask<bool> TryShutdownSendAsync(CancellationToken cancellationToken) => ShutdownSend(cancellationToken);

    public override ValueTask DisposeAsync()
    {
        Note(nameof(DisposeAsync));
        return Disposal();
    }

    private void NoteOrFail(string call)
    {
        Note(call);
        if (AbortFailure is not null)
        {
            throw AbortFailure;
        }
    }

    private void Note(string call)
    {
        lock (_gate)
        {
            _calls.Add(call);
        }
    }
}
