using Backchannel.Tests.Grpc;
using Grpc.Core;
using Xunit;

namespace Backchannel.Tests.Kit;

/// <summary>A call in each direction that hangs, over the first connection of a client.</summary>
internal sealed class CallsBothWays
{
    private readonly TestServer _server;
    private readonly TestClient _client;

    private CallsBothWays(TestServer server, TestClient client, BackchannelPeer peer, Task<Reply> toServer, Task<Reply> toClient)
    {
        _server = server;
        _client = client;
        Peer = peer;
        ToServer = toServer;
        ToClient = toClient;
    }

    public BackchannelPeer Peer { get; }

    public Task<Reply> ToServer { get; }

    public Task<Reply> ToClient { get; }

    public static async Task<CallsBothWays> StartAsync(TestServer server, TestClient client)
    {
        var toServer = client.Tester.UnaryAsync(new Request { Hang = true }).ResponseAsync;
        await server.State.Hanging.Guarded();
        var peer = Assert.Single(server.Registry.Peers);
        var toClient = new Tester.TesterClient(peer.Invoker).UnaryAsync(new Request { Hang = true }).ResponseAsync;
        await client.State.Hanging.Guarded();
        return new CallsBothWays(server, client, peer, toServer, toClient);
    }

    /// <summary>A further call to the client.</summary>
    public Task<Reply> CallClientAsync() => new Tester.TesterClient(Peer.Invoker).UnaryAsync(new Request()).ResponseAsync.Guarded();

    /// <summary>Waits until the client is refusing calls, as it does some time after it was told to stop.</summary>
    public async Task UntilTheClientRefusesAsync(string reason)
    {
        RpcException? refusal = null;
        await Guard.Until(
            async () =>
            {
                try
                {
                    await CallClientAsync();
                    return false;
                }
                catch (RpcException failure)
                {
                    refusal = failure;
                    return true;
                }
            },
            "the client refuses calls");
        Assert.True(refusal!.StatusCode == StatusCode.Unavailable, refusal.ToString());
        Assert.True(refusal.Status.Detail.Contains(reason, StringComparison.Ordinal), refusal.ToString());
    }

    /// <summary>Lets the call to the client answer.</summary>
    public async Task EndToClientAsync()
    {
        _client.State.LetGo();
        Assert.Equal("client", (await ToClient.Guarded()).ServedBy);
    }

    /// <summary>Lets the call to the server answer.</summary>
    public async Task EndToServerAsync()
    {
        _server.State.LetGo();
        Assert.Equal("server", (await ToServer.Guarded()).ServedBy);
    }

    /// <summary>Both ends know nothing of the connection any more, and have logged nothing that looks like a bug.</summary>
    public async Task AssertNothingLeftAsync()
    {
        await Guard.Until(() => _server.Registry.Count == 0, "the registry forgets the peer");
        await Guard.Until(() => _client.Host.ConnectionCount == 0, "the client's session ends");
        await Guard.Until(() => _server.ConnectionCount == 0, "the server's connection ends");
        await Peer.Completion.Guarded();
        _server.Log.AssertNoErrors();
        _client.Log.AssertNoErrors();
    }

    public static async Task AssertUnavailableAsync(Task call, string? reason = null)
    {
        var failure = await Assert.ThrowsAsync<RpcException>(() => call.Guarded());
        Assert.True(failure.StatusCode == StatusCode.Unavailable, failure.ToString());
        Assert.True(failure.Status.Detail.Contains(reason ?? "", StringComparison.Ordinal), failure.ToString());
    }
}
