using Interop.Tests.Calls;
using Interop.Tests.Proto;

namespace Interop.Tests.Sidechannel;

/// <summary>A transfer of our client's, and how its callback ended, whatever became of the call.</summary>
internal sealed class ObservedTransfer
{
    private readonly TaskCompletionSource<Exception?> _failure = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ObservedTransfer(CSharpClient client, TransferRequest request, CancellationToken cancellationToken = default)
    {
        Call = client.Sidechannels.CallAsync(
            headers => client.Server.TransferAsync(request, headers, cancellationToken: cancellationToken),
            async (channel, token) =>
            {
                try
                {
                    await TransferCaller.MoveAsync(channel, request, Moved, token);
                    _failure.SetResult(null);
                }
                catch (Exception failure)
                {
                    _failure.SetResult(failure);
                    throw;
                }
            },
            cancellationToken);
    }

    /// <summary>Enough to be in the middle.</summary>
    public Milestone Moved { get; } = new(1024 * 1024);

    public Task<TransferReply> Call { get; }

    /// <summary>What the callback failed with; null if it got and sent every byte.</summary>
    public Task<Exception?> Failure => _failure.Task;
}
