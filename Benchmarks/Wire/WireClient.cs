namespace Benchmarks.Wire;

/// <summary>The client's end of one connection, or of as many as there are streams where each needs its own.</summary>
internal abstract class WireClient : IAsyncDisposable
{
    public abstract ValueTask<WireStream> OpenAsync();

    /// <summary>Opens a stream on which nothing more happens. Returns what a user would keep of it.</summary>
    public virtual async ValueTask<object> OpenIdleAsync()
    {
        var stream = await OpenAsync();
        await stream.WriteAsync(IdleCommand);
        return stream.Handle;
    }

    public abstract ValueTask DisposeAsync();

    protected static ReadOnlyMemory<byte> IdleCommand { get; } = new[] { WireCommand.Idle };
}
