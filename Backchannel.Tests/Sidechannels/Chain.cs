using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Sidechannel;

namespace Backchannel.Tests.Sidechannels;

/// <summary>A client, a server that hands its calls on, and a far server.</summary>
internal sealed class Chain : IAsyncDisposable
{
    private readonly TransferServer _far;
    private readonly TransferClient _onwards;
    private readonly TransferServer _middle;

    private Chain(TransferServer far, TransferClient onwards, TransferServer middle, Task farEnded)
    {
        _far = far;
        _onwards = onwards;
        _middle = middle;
        FarEnded = farEnded;
        Client = new TransferClient(middle);
    }

    public TransferClient Client { get; }

    /// <summary>Completes when the far handler has ended, however.</summary>
    public Task FarEnded { get; }

    public static async Task<Chain> StartAsync(TransferHandler handler)
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
        var middle = await TransferServer.StartAsync((job, context) => onwards.Sidechannels.ProxyAsync(
            context, headers => onwards.Server.RunAsync(job, headers, cancellationToken: context.CancellationToken)));
        return new Chain(far, onwards, middle, ended.Task);
    }

    public Task<Done> CallAsync(SidechannelCallback callback, CancellationToken cancellationToken = default)
        => Client.Sidechannels.CallAsync(headers => Client.Server.RunAsync(new Job(), headers, cancellationToken: cancellationToken), callback, cancellationToken);

    /// <summary>Nothing is left anywhere.</summary>
    public async Task EndAsync()
    {
        await Client.EndAsync();
        await _middle.AssertNothingLeftAsync();
        await _onwards.EndAsync();
        await _far.AssertNothingLeftAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await _middle.DisposeAsync();
        await _onwards.DisposeAsync();
        await _far.DisposeAsync();
    }
}
