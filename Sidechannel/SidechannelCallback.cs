namespace Sidechannel;

/// <summary>
/// What the caller of an RPC does with the sidechannel that the RPC's handler opens. When it returns, its bytes are ended, if it has not done so, and
/// the sidechannel is closed; when it throws, the sidechannel is aborted, so that the handler fails too.
/// </summary>
/// <param name="channel">The caller's end. It is closed when the callback has ended; disposing it does nothing.</param>
/// <param name="cancellationToken">The token that was given with the callback.</param>
/// <returns>A task that ends when the callback needs the sidechannel no more.</returns>
public delegate Task SidechannelCallback(SidechannelStream channel, CancellationToken cancellationToken);
