namespace Interop.Tests.Sidechannel;

/// <summary>Tells when the first so many bytes have moved.</summary>
internal sealed class Milestone(long bytes)
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _left = bytes;

    public Task Reached => _reached.Task;

    public void Pass(int count)
    {
        if (Interlocked.Add(ref _left, -count) <= 0)
        {
            _reached.TrySetResult();
        }
    }
}
