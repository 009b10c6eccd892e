using Backchannel.V1;
using Grpc.Core;
using Xunit;

namespace Backchannel.Tests.Kit;

/// <summary>A client that attaches by hand, as one in another language would, and serves the tester service.</summary>
internal sealed class AttachedAgent : IAsyncDisposable
{
    private readonly bool _ownsClient;

    private AttachedAgent(TestClient client, AsyncServerStreamingCall<Notice> call, Attached attached, bool ownsClient)
    {
        Client = client;
        Call = call;
        Attached = attached;
        _ownsClient = ownsClient;
    }

    public TestClient Client { get; }

    public AsyncServerStreamingCall<Notice> Call { get; }

    public Attached Attached { get; }

    /// <summary>Connects, and attaches.</summary>
    public static async Task<AttachedAgent> StartAsync(TestServer server, string name, string instance = "", Action<AttachRequest>? configure = null)
    {
        var client = new TestClient(server, name);
        try
        {
            return await AttachAsync(client, name, instance, configure, ownsClient: true);
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }
    }

    /// <summary>Attaches, on a connection that there is.</summary>
    public static async Task<AttachedAgent> AttachAsync(TestClient client, string name, string instance = "", Action<AttachRequest>? configure = null, bool ownsClient = false)
    {
        var request = new AttachRequest { Name = name, Instance = instance };
        configure?.Invoke(request);
        var call = new Attachment.AttachmentClient(client.Invoker).Attach(request);
        try
        {
            Assert.True(await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken).Guarded());
            return new AttachedAgent(client, call, call.ResponseStream.Current.Attached, ownsClient);
        }
        catch
        {
            call.Dispose();
            throw;
        }
    }

    /// <summary>How an attachment is refused.</summary>
    public static async Task<RpcException> RefusedAsync(TestClient client, string name, string instance = "", Action<AttachRequest>? configure = null)
        => await Assert.ThrowsAsync<RpcException>(() => AttachAsync(client, name, instance, configure));

    /// <summary>What the server tells next; null: it has ended the call.</summary>
    public async Task<Notice?> NextAsync()
        => await Call.ResponseStream.MoveNext(TestContext.Current.CancellationToken).Guarded() ? Call.ResponseStream.Current : null;

    public async ValueTask DisposeAsync()
    {
        Call.Dispose();
        if (_ownsClient)
        {
            await Client.DisposeAsync();
        }
    }
}
