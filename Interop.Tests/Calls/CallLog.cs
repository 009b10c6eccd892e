using System.Collections.Concurrent;
using Grpc.Core;
using Interop.Tests.Proto;

namespace Interop.Tests.Calls;

/// <summary>Lets a caller learn when a call that it named has reached its handler, and how the handler ended.</summary>
internal sealed class CallLog
{
    private readonly ConcurrentDictionary<string, Entry> _entries = new();

    public Task StartOf(string key) => Get(key).Started.Task;

    public Task<End> EndOf(string key) => Get(key).Ended.Task;

    /// <summary>Notes that a call has reached its handler; what it returns is disposed when the handler ends.</summary>
    public IDisposable? Begin(string key, ServerCallContext context)
    {
        if (key.Length == 0)
        {
            return null;
        }

        Get(key).Started.SetResult();
        return new Handler(Get(key).Ended, context);
    }

    private Entry Get(string key) => _entries.GetOrAdd(key, _ => new Entry());

    private sealed class Entry
    {
        public TaskCompletionSource Started { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource<End> Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class Handler(TaskCompletionSource<End> ended, ServerCallContext context) : IDisposable
    {
        public void Dispose() => ended.SetResult(new End
        {
            Cancelled = context.CancellationToken.IsCancellationRequested,
            HadDeadline = context.Deadline != DateTime.MaxValue,
        });
    }
}
