using Grpc.Core;

namespace Backchannel;

/// <summary>The answers to a <see cref="LaterCall{TCall}"/>.</summary>
internal sealed class LaterReader<T>(Task<IAsyncStreamReader<T>> begun) : IAsyncStreamReader<T>
{
    public T Current => begun.IsCompletedSuccessfully
        ? begun.Result.Current
        : throw new InvalidOperationException("There is no current message: MoveNext has not returned true.");

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        var reader = await begun.WaitAsync(cancellationToken).ConfigureAwait(false);
        return await reader.MoveNext(cancellationToken).ConfigureAwait(false);
    }
}
