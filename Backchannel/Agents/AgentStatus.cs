using System.Runtime.CompilerServices;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Backchannel;

/// <summary>What there is of the agent's connection now, for all who want to know or to call. <see cref="AgentService"/> changes it.</summary>
internal sealed class AgentStatus : IBackchannelConnection
{
    private readonly Lock _gate = new();
    private TaskCompletionSource _changed = NewChange();
    private AgentConnection? _connection;
    private bool _wasConnected;
    private readonly AgentMetrics _metrics;

    public AgentStatus(IHttpContextAccessor accessor, AgentClock clock, AgentMetrics metrics)
    {
        _metrics = metrics;
        Invoker = new FindingInvoker(new AgentFinder(this, clock.TimeProvider), new CallContext(accessor, new PeerCallOptions { PropagateCallContext = false }, clock.TimeProvider));
    }

    public BackchannelConnectionState State { get; private set; }

    public string? Name { get; private set; }

    public Exception? LastFailure { get; private set; }

    public CallInvoker Invoker { get; }

    /// <summary>The connection on which the agent is attached; null if it is not.</summary>
    public AgentConnection? Connection => Volatile.Read(ref _connection);

    /// <summary>The agent is attached, on this connection.</summary>
    public void OnAttached(AgentConnection connection, string name) => Change(_metrics.OnAttached, () =>
    {
        _wasConnected = true;
        LastFailure = null;
        Name = name;
        Volatile.Write(ref _connection, connection);
        State = BackchannelConnectionState.Connected;
    });

    /// <summary>An attempt has failed, or the attachment has ended.</summary>
    public void OnDetached(Exception failure) => Change(_metrics.OnDetached, () =>
    {
        LastFailure = failure;
        Volatile.Write(ref _connection, null);
        State = _wasConnected ? BackchannelConnectionState.Reconnecting : BackchannelConnectionState.Connecting;
    });

    /// <summary>The attachment on this connection has ended, while another is tried. Nothing, if that has taken its place.</summary>
    public void OnEnded(AgentConnection connection, Exception failure)
    {
        if (Connection == connection)
        {
            OnDetached(failure);
        }
    }

    /// <summary>There will be no other connection.</summary>
    public void OnStopped() => Change(_metrics.OnDetached, () =>
    {
        Volatile.Write(ref _connection, null);
        State = BackchannelConnectionState.Stopped;
    });

    public async Task WaitConnectedAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var (state, changed) = Look();
            switch (state)
            {
                case BackchannelConnectionState.Connected:
                    return;
                case BackchannelConnectionState.Stopped:
                    throw new InvalidOperationException("The host has stopped the agent; it does not connect any more.");
            }

            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public async IAsyncEnumerable<BackchannelConnectionState> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        BackchannelConnectionState? told = null;
        while (true)
        {
            var (state, changed) = Look();
            if (state != told)
            {
                yield return state;
                told = state;
                if (state == BackchannelConnectionState.Stopped)
                {
                    yield break;
                }
            }

            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The state, and what completes when it changes.</summary>
    public (BackchannelConnectionState State, Task Changed) Look()
    {
        lock (_gate)
        {
            return (State, _changed.Task);
        }
    }

    private void Change(Action measure, Action change)
    {
        lock (_gate)
        {
            change();
            _changed.SetResult();
            _changed = NewChange();
            measure(); // Last: it runs what listens to the meters, which may throw.
        }
    }

    private static TaskCompletionSource NewChange() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
