using Interop.Tests.Support;

namespace Interop.Tests.Calls;

/// <summary>A Go server that is made as Gitaly's is, of some years and on some kind of connection.</summary>
internal sealed class GoServer : IAsyncDisposable
{
    private readonly Endpoint _endpoint;
    private readonly string _address;

    private GoServer(Endpoint endpoint, GoPeer peer, string address)
    {
        _endpoint = endpoint;
        Peer = peer;
        _address = address;
    }

    public GoPeer Peer { get; }

    public static async Task<GoServer> StartAsync(
        GoPeerBinary binary, DialBack dialBack = DialBack.Escaped, Transport transport = Transport.IPv4, params string[] arguments)
    {
        var endpoint = new Endpoint(transport);
        var go = binary.Start(["grpc-server", "-dial", dialBack.ToString().ToLowerInvariant(), .. endpoint.ServerArguments, .. arguments]);
        return new GoServer(endpoint, go, await go.RestOfLineAsync("listening on "));
    }

    public CSharpClient Connect(bool plain = false, int number = 0)
        => new(_address, _endpoint.Certificates, plain, number, hasCertificate: _endpoint.ClientHasCertificate);

    /// <summary>When our only client closes, Go sees it go, with nothing to complain of.</summary>
    public async Task EndAsync(CSharpClient client)
    {
        await client.EndAsync();
        await Peer.RestOfLineAsync("disconnected 1");
        Peer.CloseInput();
        await Peer.SucceedAsync();
        Assert.Empty(Peer.Complaints);
    }

    public async ValueTask DisposeAsync()
    {
        await Peer.DisposeAsync();
        _endpoint.Dispose();
    }
}
