using Xunit;

namespace Backchannel.Tests;

/// <summary>The settings of the HTTP client that calls a peer. Its clock is its own, so that what it does in time is not played.</summary>
public class PeerHandlerTests
{
    [Fact]
    public void A_stream_to_a_peer_that_is_idle_is_closed_after_IdleTimeout()
    {
        using var handler = new PeerHandler(null, TimeSpan.FromSeconds(7));

        var inner = Assert.IsType<SocketsHttpHandler>(handler.InnerHandler);
        Assert.Equal(TimeSpan.FromSeconds(7), inner.PooledConnectionIdleTimeout);
        Assert.Equal((false, false, false), (inner.UseProxy, inner.AllowAutoRedirect, inner.UseCookies));
        Assert.True(inner.EnableMultipleHttp2Connections);
    }
}
