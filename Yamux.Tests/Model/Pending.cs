namespace Yamux.Tests.Model;

/// <summary>An operation that was begun, and whose result, when there is one, is checked.</summary>
internal sealed class Pending(string what, Task task, CancellationTokenSource? cancellation, Action<Pending> check)
{
    public string What => what;

    public Task Task => task;

    public bool CanCancel => cancellation is { IsCancellationRequested: false };

    public bool IsCancelled => cancellation is { IsCancellationRequested: true };

    public void Cancel() => cancellation!.Cancel();

    /// <summary>Checks the result, once the task has ended.</summary>
    public void Check() => check(this);
}
