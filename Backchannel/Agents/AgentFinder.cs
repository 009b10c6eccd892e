using Grpc.Core;

namespace Backchannel;

/// <summary>Finds the connection on which the agent is attached.</summary>
internal sealed class AgentFinder(AgentStatus status, TimeProvider timeProvider) : TargetFinder(timeProvider)
{
    public override ICallTarget? Find(IReadOnlyCollection<ICallTarget> except)
        => status.Connection is { } connection && !except.Contains(connection) ? connection : null;

    protected override async ValueTask<ICallTarget> WaitAsync(IReadOnlyCollection<ICallTarget> except, CancellationToken cancellationToken)
    {
        while (true)
        {
            var (state, changed) = status.Look();
            if (Find(except) is { } connection)
            {
                return connection;
            }

            if (state == BackchannelConnectionState.Stopped)
            {
                throw CallDispatch.NotDispatched(StatusCode.Unavailable, Missing());
            }

            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    protected override string Missing() => status.LastFailure is { } failure
        ? $"the agent is not attached to its server: {AgentFailure.Explain(failure)}"
        : $"the agent is not attached to its server ({status.State})";
}
