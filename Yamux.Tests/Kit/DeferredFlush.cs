using System.IO.Pipelines;
using System.Threading.Tasks.Sources;

namespace Yamux.Tests.Kit;

/// <summary>A flush that ends once somebody waits for it, on another thread, and that then tells that the waiter has run.</summary>
internal sealed class DeferredFlush(FlushResult result, Exception? error, Action onDone) : IValueTaskSource<FlushResult>
{
    private ManualResetValueTaskSourceCore<FlushResult> _core;

    public FlushResult GetResult(short token) => _core.GetResult(token);

    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        _core.OnCompleted(continuation, state, token, flags);
        ThreadPool.QueueUserWorkItem(_ =>
        {
            if (error is null)
            {
                _core.SetResult(result);
            }
            else
            {
                _core.SetException(error);
            }

            onDone();
        });
    }
}
