namespace Backchannel.Tests.Links.Kit;

/// <summary>Tells when so many have come.</summary>
internal sealed class Countdown(int count)
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _missing = count;

    public Task Reached => _reached.Task;

    public void Arrive()
    {
        if (Interlocked.Decrement(ref _missing) == 0)
        {
            _reached.SetResult();
        }
    }
}
