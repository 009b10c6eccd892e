using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Sidechannel;

namespace Backchannel.Tests.Sidechannels;

/// <summary>A client, a server that hands its calls on, and a far server.</summary>
internal sealed class Chain : IAsyncDisposable
{
    private readonly TransferServer _far;
    private readonly TransferClient _onwards;

    private Chain(TransferServer far, TransferClient onwards, TransferServer middle, Task farEnded)
    {
        _far = far;
        _onwards = onwards;
        Middle = middle;
        FarEnded = farEnded;
        Client = new TransferClient(middle);
    }

    public TransferClient Client { get; }

    public TransferServer Middle { get; }

    /// <summary>Completes when the far handler has ended, however.</summary>
    public Task FarEnded { get; }

    /// <param name="handler">What the far server does.</param>
    /// <param name="onwardsToken">Cancels the calls onwards; null: the token of the calls that they are made for.</param>
    /// <param name="time">The clock of the sessions with the clients of the server in the middle.</param>
    public static async Task<Chain> StartAsync(TransferHandler handler, CancellationToken? onwardsToken = null, TimeProvider? time = null)
    {
        var ended = new TaskCompletionSource();
        var far = await TransferServer.StartAsync(async (job, context) =>
        {
            try
            {
                return await handler(job, context);
            }
            finally
            {
                ended.SetResult();
            }
        });
        var onwards = new TransferClient(far);
        var middle = await TransferServer.StartAsync(
            (job, context) => onwards.Sidechannels.ProxyAsync(
                context, headers => onwards.Server.RunAsync(job, headers, cancellationToken: onwardsToken ?? context.CancellationToken)),
            time: time);
        return new Chain(far, onwards, middle, ended.Task);
    }

    public Task<Done> CallAsync(SidechannelCallback callback, CancellationToken cancellationToken = default)
        => Client.CallAsync(callback, cancellationToken, cancellationToken);

    /// <summary>Nothing is left anywhere.</summary>
    public async Task EndAsync()
    {
        await Client.EndAsync();
        await Middle.AssertNothingLeftAsync();
        await _onwards.EndAsync();
        await _far.AssertNothingLeftAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await Middle.DisposeAsync();
        await _onwards.DisposeAsync();
        await _far.DisposeAsync();
    }
}
