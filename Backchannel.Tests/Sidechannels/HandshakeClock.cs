using Microsoft.Extensions.Time.Testing;

namespace Backchannel.Tests.Sidechannels;

/// <summary>Tells when a handler has been heard and waits for the answer.</summary>
internal sealed class HandshakeClock : FakeTimeProvider
{
    private readonly TaskCompletionSource _awaited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task AnswerAwaited => _awaited.Task;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        if (dueTime == TimeSpan.FromSeconds(5))
        {
            _awaited.TrySetResult();
        }

        return timer;
    }
}
