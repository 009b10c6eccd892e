using Backchannel.V1;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;

namespace Backchannel;

/// <summary>One connection of the agent to its server, from the attempt to the last call on it: both directions go over it, and it is never made anew.</summary>
internal sealed class AgentConnection : ICallTarget, IConnectsOnce, IAsyncDisposable
{
    private readonly BackchannelHost _host;
    private readonly BackchannelAgentOptions _options;
    private readonly TimeProvider _timeProvider;
    private readonly Func<SocketsHttpConnectionContext, CancellationToken, ValueTask<Stream>> _connectBy;
    private AsyncServerStreamingCall<Notice>? _attachment;
    private bool _hasSession; // Interlocked

    public AgentConnection(BackchannelHost host, BackchannelAgentOptions options, TimeProvider timeProvider)
    {
        _host = host;
        _options = options;
        _timeProvider = timeProvider;
        var handler = new SocketsHttpHandler { ConnectTimeout = options.AttachTimeout };
        options.ConfigureHandler?.Invoke(handler);
        _connectBy = handler.ConnectCallback ?? TunedConnect.ConnectAsync;
        handler.ConnectCallback = ConnectAsync;
        var channel = new GrpcChannelOptions { HttpHandler = new DispatchHandler(handler.UseBackchannel(host)), DisposeHttpClient = true };
        options.ConfigureChannel?.Invoke(channel);

        // It is never disposed: that would cancel calls that are on their way into it, and are about to be told that they can go elsewhere. When the session has ended nothing
        // of it is left but memory.
        Invoker = GrpcChannel.ForAddress(options.Address, channel).CreateCallInvoker().Intercept(new DispatchInterceptor());
    }

    /// <summary>Calls the server.</summary>
    public CallInvoker Invoker { get; }

    public bool TryBeginSession() => !Interlocked.Exchange(ref _hasSession, true);

    /// <summary>Connects, and attaches.</summary>
    /// <exception cref="RpcException">It came to nothing; the status says why.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<Attached> AttachAsync(AttachRequest request, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(_options.AttachTimeout, _timeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        _attachment = new Attachment.AttachmentClient(Invoker).Attach(request, cancellationToken: CancellationToken.None);
        try
        {
            return await _attachment.ResponseStream.MoveNext(either.Token).ConfigureAwait(false) && _attachment.ResponseStream.Current.Attached is { } attached
                ? attached
                : throw new RpcException(new Status(StatusCode.Internal, $"the server at {_options.Address} did not begin with the word that the agent is attached"));
        }
        catch (Exception cancelled) when (cancelled is RpcException or OperationCanceledException && either.IsCancellationRequested)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new RpcException(new Status(
                StatusCode.DeadlineExceeded,
                $"the server at {_options.Address} did not attach the agent within {_options.AttachTimeout} ({nameof(BackchannelAgentOptions)}.{nameof(BackchannelAgentOptions.AttachTimeout)})"));
        }
        catch (RpcException refusal) when (AttachRefusal.Explain(refusal, _options.Address) is { } explained)
        {
            throw explained;
        }
    }

    /// <summary>What the server tells next; null: it has ended the attachment in good order.</summary>
    /// <exception cref="RpcException">The connection was lost, or the attachment has failed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled, and the attachment has ended.</exception>
    public async Task<Notice?> NextAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _attachment!.ResponseStream.MoveNext(cancellationToken).ConfigureAwait(false) ? _attachment.ResponseStream.Current : null;
        }
        catch (RpcException) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
    }

    /// <summary>Ends the attachment, and then the connection when the calls that run have ended, in either direction, or have had their time.</summary>
    /// <param name="reason">Why, for whoever would call now.</param>
    /// <param name="cancellationToken">Ends the waiting for calls: they are aborted.</param>
    public async Task LeaveAsync(string reason, CancellationToken cancellationToken)
    {
        _attachment?.Dispose();
        TryBeginSession(); // None that its handler may still be about to begin.
        await _host.LetGoAsync(this, reason, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Ends all of it, whatever runs.</summary>
    public ValueTask DisposeAsync() => new(LeaveAsync("the agent has given the connection up", new CancellationToken(canceled: true)));

    // The delegate of this method names the connection to the host: it has this object as its target.
    private ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken) => _connectBy(context, cancellationToken);
}
