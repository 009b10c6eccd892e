using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;

namespace Backchannel.Tests.Kit;

/// <summary>What a <see cref="TesterService"/> knows, and what it has seen.</summary>
internal sealed class TesterState(string name)
{
    private readonly TaskCompletionSource _hanging = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _letGo = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Name => name;

    /// <summary>How to call the caller back, where it is not over the backchannel.</summary>
    public Func<CallInvoker>? CallBack { get; set; }

    /// <summary>What a call does that is to act.</summary>
    public Func<ServerCallContext, Task> Act { get; set; } = _ => Task.CompletedTask;

    /// <summary>The peers that called, once a call.</summary>
    public ConcurrentQueue<BackchannelPeer> Peers { get; } = new();

    /// <summary>The certificates that the callers showed, once a call.</summary>
    public ConcurrentQueue<X509Certificate2?> CallerCertificates { get; } = new();

    /// <summary>Completes when a call hangs.</summary>
    public Task Hanging => _hanging.Task;

    /// <summary>Completes when a call that hung was cancelled.</summary>
    public Task Cancelled => _cancelled.Task;

    /// <summary>Ends the calls that hang.</summary>
    public void LetGo() => _letGo.TrySetResult();

    public async Task HangAsync(CancellationToken cancellationToken)
    {
        _hanging.TrySetResult();
        try
        {
            await _letGo.Task.WaitAsync(cancellationToken);
        }
        finally
        {
            _cancelled.TrySetResult();
        }
    }
}
