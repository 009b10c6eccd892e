using Nerdbank.Streams;

namespace Benchmarks.Wire.Nerdbank;

internal sealed class NerdbankClient(MultiplexingStream session) : WireClient
{
    // Unlike an offer, it waits for nothing.
    public override ValueTask<WireStream> OpenAsync() => new(new NerdbankStream(session.CreateChannel()));

    public override ValueTask DisposeAsync() => session.DisposeAsync();
}
