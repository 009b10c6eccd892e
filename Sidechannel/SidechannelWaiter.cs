using System.Globalization;
using Grpc.Core;
using Yamux;

namespace Sidechannel;

/// <summary>
/// A sidechannel that is offered for one call. Add its <see cref="Metadata"/> to the call; when the call has ended, <see cref="WaitAsync"/> tells how the callback
/// went.
/// </summary>
public sealed class SidechannelWaiter : IAsyncDisposable
{
    private readonly SidechannelRegistry _registry;
    private readonly SidechannelCallback _callback;
    private readonly CancellationTokenSource _cancellation;
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private CallerStream? _channel;
    private bool _callEnded;

    internal SidechannelWaiter(SidechannelRegistry registry, long id, SidechannelCallback callback, YamuxSession? session, CancellationToken cancellationToken)
    {
        _registry = registry;
        _callback = callback;
        _cancellation = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Id = id;
        Session = session;
        Metadata = SidechannelId.ToMetadata(id);
    }

    /// <summary>The id by which the handler asks for this sidechannel: 63 random bits, not negative. It is what the handler is let in by; no log needs it.</summary>
    public long Id { get; }

    /// <summary>The headers of the call: <c>gitaly-sidechannel-id</c>. More may be added.</summary>
    public Metadata Metadata { get; }

    /// <summary>
    /// Completes when it is known how the callback went: it returned; it threw (faulted with its exception); or it did not run and will not (faulted with
    /// <see cref="SidechannelException"/>, <see cref="SidechannelErrorCode.CallbackDidNotRun"/>), which is known when the registration has ended.
    /// </summary>
    public Task Completion => _completion.Task;

    /// <summary>
    /// Ends the registration, and waits for the callback if it runs: call it when the call has ended. The callback can still read what the handler has sent;
    /// its writes fail (<see cref="SidechannelErrorCode.CallEnded"/>). An exception of the callback's is thrown as it is. The second call tells the same.
    /// </summary>
    /// <param name="cancellationToken">Gives up waiting. The callback goes on.</param>
    /// <exception cref="SidechannelException">The callback did not run, and will not.</exception>
    public Task WaitAsync(CancellationToken cancellationToken = default)
    {
        End();
        return _completion.Task.WaitAsync(cancellationToken);
    }

    /// <summary>As <see cref="WaitAsync"/>, but throws nothing, so that it hides no failure of the call. <see cref="Completion"/> tells how it went.</summary>
    public async ValueTask DisposeAsync()
    {
        End();
        await _completion.Task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Whether a call has failed because its caller wants it no more. Which exception tells depends on the channel's settings.</summary>
    internal static bool IsGivenUp(Exception failure)
        => failure is OperationCanceledException or RpcException { StatusCode: StatusCode.Cancelled or StatusCode.DeadlineExceeded };

    /// <summary>The session that alone may open it; null: any.</summary>
    internal YamuxSession? Session { get; }

    /// <summary>The call was given up: so should the callback be.</summary>
    internal void Cancel()
    {
        try
        {
            _cancellation.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has ended meanwhile.
        }
        catch (AggregateException failure)
        {
            _registry.OnCancellationFailed(Id, failure); // Of what the callback hangs on its token. The failure of the call is the greater.
        }
    }

    /// <summary>The handler has opened the sidechannel; nobody else has or will.</summary>
    internal async Task RunAsync(YamuxStream stream)
    {
        try
        {
            await stream.AsStream().WriteAsync(Handshake.Accepted.ToArray(), CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            Fail(stream, NotRun(failure));
            return;
        }

        var channel = new CallerStream(stream, _cancellation.Token);
        try
        {
            try
            {
                Attach(channel);
                await _callback(channel, _cancellation.Token).ConfigureAwait(false);
                await CompleteWritesAsync(channel).ConfigureAwait(false);
                await stream.DisposeAsync().ConfigureAwait(false);
            }
            finally
            {
                Detach(channel);
            }

            _completion.SetResult();
            _cancellation.Dispose();
        }
        catch (Exception failure)
        {
            Fail(stream, failure);
        }
    }

    private static async ValueTask CompleteWritesAsync(CallerStream channel)
    {
        if (channel.WasAborted)
        {
            return; // That is how this callback ends. A write of its own may not have heard of it yet.
        }

        try
        {
            await channel.CompleteWritesAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (YamuxException) when (channel.WasAborted || channel.HandlerHasEnded)
        {
            // Meanwhile; or the handler has ended, and then the session: the call, which knows more, tells how.
        }
    }

    private void Attach(CallerStream channel)
    {
        lock (_gate)
        {
            _channel = channel;
            if (_callEnded)
            {
                channel.OnCallEnded();
            }
        }
    }

    private void Detach(CallerStream channel)
    {
        lock (_gate)
        {
            _channel = null;
            channel.LetGo();
        }
    }

    private void End()
    {
        if (_registry.TryRemove(Id))
        {
            Fail(null, NotRun(null));
            return;
        }

        lock (_gate)
        {
            if (_callEnded)
            {
                return;
            }

            _callEnded = true;
            _channel?.OnCallEnded(); // Its continuations run elsewhere: those of a write never run in its canceller.
        }
    }

    private SidechannelException NotRun(Exception? reason) => new(
        SidechannelErrorCode.CallbackDidNotRun,
        string.Create(CultureInfo.InvariantCulture, $"The callback did not run: the handler of the call has not opened sidechannel {Id}, as context.OpenSidechannelAsync() does"),
        reason);

    private void Fail(YamuxStream? stream, Exception failure)
    {
        _completion.SetException(failure); // Before the handler can know, so that it is known here when the call fails of it.
        _ = _completion.Task.Exception; // Whoever wants to know asks; nobody must.
        stream?.Abort(failure);
        _cancellation.Dispose(); // Waits for what runs on the token, which may wait for the call.
    }
}
