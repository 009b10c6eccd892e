using Benchmarks.Soak.Watching;
using Yamux;

namespace Benchmarks.Soak;

/// <summary>The first thing that went wrong; it stops the soak. Thread safe.</summary>
internal sealed class FirstFailure
{
    private readonly TaskCompletionSource<string> _message = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes with what went wrong, if anything does.</summary>
    public Task<string> Message => _message.Task;

    public bool HasHappened => _message.Task.IsCompleted;

    public void Report(string message) => _message.TrySetResult(message.ReplaceLineEndings(" "));

    public void Report(string where, Exception error) => Report($"{where}: {Describe(error)}");

    private static string Describe(Exception error) => error switch
    {
        HangException hang => hang.Message,
        YamuxException yamux => $"unexpected {yamux.ErrorCode}: {yamux.Message}",
        _ => $"unexpected {error}",
    };
}
