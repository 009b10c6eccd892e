using Yamux;

namespace Benchmarks.Wire.Own;

internal sealed class OwnClient(YamuxSession session, Func<YamuxStream, WireStream> wrap) : WireClient
{
    public override async ValueTask<WireStream> OpenAsync() => wrap(await session.OpenStreamAsync());

    public override async ValueTask<object> OpenIdleAsync()
    {
        var stream = await session.OpenStreamAsync();
        await stream.Output.WriteAsync(IdleCommand);
        return stream;
    }

    public override ValueTask DisposeAsync() => session.DisposeAsync();
}
