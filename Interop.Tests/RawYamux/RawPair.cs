using System.Globalization;
using System.Net.Sockets;
using Interop.Tests.Support;
using Yamux;

namespace Interop.Tests.RawYamux;

/// <summary>One session of ours whose far end is Go's yamux, over loopback TCP. Go listens and plays the named scenario.</summary>
internal sealed class RawPair : IAsyncDisposable
{
    private RawPair(GoPeer go, YamuxSession session)
    {
        Go = go;
        Session = session;
    }

    public GoPeer Go { get; }

    public YamuxSession Session { get; }

    public static async Task<RawPair> StartAsync(
        GoPeerBinary binary, YamuxRole role, string scenario, int window = 256 * 1024, int streams = 1, int backlog = 256, bool goOpens = false)
    {
        var go = binary.Start(
            "yamux",
            "-role", role == YamuxRole.Client ? "server" : "client",
            "-scenario", scenario,
            "-window", window.ToString(CultureInfo.InvariantCulture),
            "-streams", streams.ToString(CultureInfo.InvariantCulture),
            "-backlog", backlog.ToString(CultureInfo.InvariantCulture),
            goOpens ? "-opens" : "-opens=false");
        try
        {
            var address = await go.AddressAsync();
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(address, TestContext.Current.CancellationToken);
            var options = new YamuxOptions { InitialStreamWindowSize = window, MaxStreamWindowSize = window, EnableKeepAlive = false };
            return new RawPair(go, YamuxSession.Create(new NetworkStream(socket, ownsSocket: true), role, options));
        }
        catch
        {
            await go.DisposeAsync();
            throw;
        }
    }

    public Task<YamuxStream> OpenAsync() => Session.OpenStreamAsync(TestContext.Current.CancellationToken).Guarded();

    public async Task<YamuxStream> AcceptAsync()
    {
        var stream = await Session.AcceptStreamAsync(TestContext.Current.CancellationToken).Guarded();
        Assert.NotNull(stream);
        return stream;
    }

    /// <summary>Closes our session; nothing may be left, and Go must have ended content.</summary>
    public async Task EndAsync()
    {
        await Session.DisposeAsync().Guarded();
        await Go.SucceedAsync();
        Assert.Equal(0, Session.StreamCount);
        Assert.Empty(Go.Complaints);
    }

    public async ValueTask DisposeAsync()
    {
        Session.Abort();
        await Session.DisposeAsync();
        await Go.DisposeAsync();
    }
}
