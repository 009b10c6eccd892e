using Grpc.Core;

namespace Backchannel;

/// <summary>The requests of a <see cref="LaterCall{TCall}"/>.</summary>
internal sealed class LaterWriter<T>(Task<IClientStreamWriter<T>> begun) : IClientStreamWriter<T>
{
    private WriteOptions? _options;

    public WriteOptions? WriteOptions
    {
        get => begun.IsCompletedSuccessfully ? begun.Result.WriteOptions : _options;
        set
        {
            _options = value;
            if (begun.IsCompletedSuccessfully)
            {
                begun.Result.WriteOptions = value;
            }
        }
    }

    public Task WriteAsync(T message) => WriteAsync(message, CancellationToken.None);

    public async Task WriteAsync(T message, CancellationToken cancellationToken)
    {
        var writer = await BeginAsync(cancellationToken).ConfigureAwait(false);
        await writer.WriteAsync(message, cancellationToken).ConfigureAwait(false);
    }

    public async Task CompleteAsync()
    {
        var writer = await BeginAsync(CancellationToken.None).ConfigureAwait(false);
        await writer.CompleteAsync().ConfigureAwait(false);
    }

    private async Task<IClientStreamWriter<T>> BeginAsync(CancellationToken cancellationToken)
    {
        var writer = await begun.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (_options is { } options)
        {
            writer.WriteOptions = options;
            _options = null;
        }

        return writer;
    }
}
