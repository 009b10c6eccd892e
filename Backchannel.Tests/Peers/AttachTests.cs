using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Backchannel.V1;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Xunit;

namespace Backchannel.Tests.Peers;

/// <summary>An agent attaches, and is called by the name that the server gives it.</summary>
public class AttachTests
{
    [Fact]
    public async Task An_agent_that_has_attached_is_called_by_its_name()
    {
        await using var server = await TestServer.StartAsync(options: Trusting);
        await using var agent = await AttachedAgent.StartAsync(server, "device:1/a@b_c.d-e");

        var reply = await server.Peers.GetClient<Tester.TesterClient>("device:1/a@b_c.d-e").UnaryAsync(new Request()).ResponseAsync.Guarded();

        Assert.Equal("device:1/a@b_c.d-e", reply.ServedBy);
        Assert.Equal("device:1/a@b_c.d-e", agent.Attached.Name);
    }

    [Fact]
    public async Task A_server_that_cannot_name_an_agent_tells_the_two_ways_to_a_name()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);

        var refusal = await AttachedAgent.RefusedAsync(client, "a");

        Assert.Equal(StatusCode.Unauthenticated, refusal.StatusCode);
        Assert.Contains("NameIdentifier", refusal.Status.Detail, StringComparison.Ordinal);
        Assert.Contains("ClientCertificateMode.RequireCertificate", refusal.Status.Detail, StringComparison.Ordinal);
        Assert.Contains("TrustNamesOfClients = true", refusal.Status.Detail, StringComparison.Ordinal);
        Assert.Empty(await ListAsync(server));
    }

    [Fact]
    public async Task The_name_is_the_common_name_of_the_client_certificate()
    {
        using var certificates = TestCertificates.Create(client: "device-7");
        await using var server = await TestServer.StartAsync(certificates.MutualTls());
        await using var client = new TestClient(server, configure: handler =>
        {
            certificates.Trust(handler);
            handler.SslOptions.ClientCertificates = [certificates.Client];
        });

        await using var agent = await AttachedAgent.AttachAsync(client, "somebody-else");

        Assert.Equal("device-7", agent.Attached.Name);
    }

    [Fact]
    public async Task The_name_is_what_the_application_finds_and_never_what_the_agent_asks_for()
    {
        await using var server = await TestServer.StartAsync(build: Naming(_ => "found"));
        await using var agent = await AttachedAgent.StartAsync(server, "wished");

        Assert.Equal("found", agent.Attached.Name);
        Assert.True(server.Peers.TryGetPeer("found", out _));
        Assert.False(server.Peers.TryGetPeer("wished", out _));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" a")]
    [InlineData("a\n")]
    [InlineData("ä")]
    [InlineData("a,b")]
    [InlineData("a\\b")]
    [InlineData("129")]
    public async Task What_is_no_name_is_refused_and_named(string name)
    {
        name = name == "129" ? new string('a', 129) : name;
        await using var server = await TestServer.StartAsync(options: Trusting);
        await using var client = new TestClient(server);

        var refusal = await AttachedAgent.RefusedAsync(client, name);

        if (name.Length == 0)
        {
            Assert.Equal(StatusCode.Unauthenticated, refusal.StatusCode); // It does not ask for one, and there is no other.
            Assert.Contains("Backchannel:Agent:Name", refusal.Status.Detail, StringComparison.Ordinal);
            Assert.DoesNotContain("NameIdentifier", refusal.Status.Detail, StringComparison.Ordinal);
            return;
        }

        Assert.Equal(StatusCode.InvalidArgument, refusal.StatusCode);
        Assert.Contains("1 to 128 of the letters and digits", refusal.Status.Detail, StringComparison.Ordinal);
        await client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded();
    }

    [Fact]
    public async Task A_name_that_the_application_finds_and_cannot_be_one_is_refused_and_named()
    {
        await using var server = await TestServer.StartAsync(build: Naming(_ => "CN=a, O=b"));
        await using var client = new TestClient(server);

        var refusal = await AttachedAgent.RefusedAsync(client, "a");

        Assert.Equal(StatusCode.InvalidArgument, refusal.StatusCode);
        Assert.Contains("\"CN=a, O=b\"", refusal.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_provider_that_throws_fails_the_attachment_alone()
    {
        await using var server = await TestServer.StartAsync(build: Naming(_ => throw new InvalidOperationException("the directory is down")));
        await using var client = new TestClient(server);

        var refusal = await AttachedAgent.RefusedAsync(client, "a");

        Assert.Equal(StatusCode.Unknown, refusal.StatusCode);
        await client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded();
    }

    [Theory]
    [InlineData(1, 1024 * 1024, "1048579 bytes")]
    [InlineData(64, 256, "16576 bytes")]
    [InlineData(65, 1, "65 labels")]
    public async Task Labels_beyond_their_bounds_are_refused_with_the_bound(int count, int size, string named)
    {
        await using var server = await TestServer.StartAsync(options: Trusting);
        await using var client = new TestClient(server);

        var refusal = await AttachedAgent.RefusedAsync(client, "a", configure: request =>
        {
            for (var i = 0; i < count; i++)
            {
                request.Labels.Add(FormattableString.Invariant($"k{(count == 64 ? i + 10 : i):D2}"), new string('v', size));
            }
        });

        Assert.Equal(StatusCode.InvalidArgument, refusal.StatusCode);
        Assert.Contains(named, refusal.Status.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_instance_or_a_version_that_is_too_long_is_refused(bool isInstance)
    {
        await using var server = await TestServer.StartAsync(options: Trusting);
        await using var client = new TestClient(server);

        var refusal = await AttachedAgent.RefusedAsync(client, "a", configure: request => _ = isInstance ? request.Instance = new string('i', 129) : request.AgentVersion = new string('v', 129));

        Assert.Equal(StatusCode.InvalidArgument, refusal.StatusCode);
        Assert.Contains($"{(isInstance ? "instance" : "agent_version")} of 129 bytes", refusal.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_peer_has_what_its_agent_says_of_itself()
    {
        await using var server = await TestServer.StartAsync(options: Trusting);
        await using var agent = await AttachedAgent.StartAsync(server, "a", "run-1", request =>
        {
            request.AgentVersion = "1.2.3";
            request.Labels.Add("site", "north");
        });

        Assert.True(server.Peers.TryGetPeer("a", out var peer));
        Assert.Equal(("a", "run-1", "1.2.3", agent.Attached.PeerId), (peer.Name, peer.Instance, peer.AgentVersion, peer.Id));
        Assert.Equal("north", Assert.Single(peer.Labels).Value);
        Assert.NotNull(peer.User);
        peer.Items["key"] = 1;
        Assert.Equal(1, peer.Items["key"]);
        Assert.Same(peer, server.Registry.GetPeer(peer.Id));
    }

    [Fact]
    public async Task A_client_that_does_not_attach_has_a_number_and_no_name()
    {
        await using var server = await TestServer.StartAsync(options: Trusting);
        await using var client = new TestClient(server);
        await client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded();

        Assert.Null(Assert.Single(server.Registry.Peers).Name);
        Assert.Empty(await ListAsync(server));
    }

    [Fact]
    public async Task A_plain_client_cannot_attach()
    {
        await using var server = await TestServer.StartAsync(options: Trusting);
        await using var client = new TestClient(server, plain: true);

        Assert.Equal((StatusCode.FailedPrecondition, "non-multiplexed connection"), Told(await AttachedAgent.RefusedAsync(client, "a")));
    }

    [Fact]
    public async Task A_thousand_attachments_of_one_connection_are_refused_but_for_the_first()
    {
        await using var server = await TestServer.StartAsync(options: Trusting);
        await using var agent = await AttachedAgent.StartAsync(server, "a");

        var refusals = await Task.WhenAll(Enumerable.Range(0, 1000).Select(i => AttachedAgent.RefusedAsync(agent.Client, $"b{i}")));

        Assert.All(refusals, refusal => Assert.Equal(StatusCode.FailedPrecondition, refusal.StatusCode));
        Assert.Contains("attached already, as \"a\"", refusals[0].Status.Detail, StringComparison.Ordinal);
        Assert.Equal(["a"], await ListAsync(server));
    }

    [Fact]
    public async Task The_end_of_the_call_is_the_end_of_the_attachment_and_the_connection_may_attach_again()
    {
        await using var server = await TestServer.StartAsync(options: Trusting);
        await using var client = new TestClient(server);
        await using (await AttachedAgent.AttachAsync(client, "a"))
        {
        }

        await Guard.Until(async () => (await ListAsync(server)).Count == 0, "it is attached no more");
        Assert.Equal(1, server.Registry.Count);

        await using var again = await AttachedAgent.AttachAsync(client, "b");
        Assert.Equal(["b"], await ListAsync(server));
    }

    [Fact]
    public async Task An_agent_whose_connection_is_lost_is_attached_no_more()
    {
        await using var server = await TestServer.StartAsync(options: Trusting);
        await using var agent = await AttachedAgent.StartAsync(server, "a");
        Assert.True(server.Peers.TryGetPeer("a", out var peer));
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var _ = peer.Disconnected.UnsafeRegister(_ => gone.SetResult(), null);

        Assert.Single(server.Connections).Abort();

        await gone.Task.Guarded();
        Assert.False(server.Peers.TryGetPeer("a", out var none));
        Assert.Null(none);
        await Guard.Until(async () => (await ListAsync(server)).Count == 0, "it is attached no more");
        Assert.Equal("a", peer.Name);
    }

    [Fact]
    public async Task An_agent_that_serves_nothing_says_so_to_each_call()
    {
        await using var server = await TestServer.StartAsync(options: Trusting);
        await using var host = BackchannelHost.Create(services => services.AddGrpc(), _ => { });
        using var channel = global::Grpc.Net.Client.GrpcChannel.ForAddress(
            server.Address, new global::Grpc.Net.Client.GrpcChannelOptions { HttpHandler = new SocketsHttpHandler().UseBackchannel(host), DisposeHttpClient = true });
        using var call = new Attachment.AttachmentClient(channel).Attach(new AttachRequest { Name = "a" });
        Assert.True(await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken).Guarded());

        var failure = await Assert.ThrowsAsync<RpcException>(() => server.Peers.GetClient<Tester.TesterClient>("a").UnaryAsync(new Request()).ResponseAsync.Guarded());

        Assert.Equal(StatusCode.Unimplemented, failure.StatusCode);
    }

    internal static void Trusting(BackchannelServerOptions options) => options.TrustNamesOfClients = true;

    /// <summary>The same, of a server whose time is the test's.</summary>
    internal static Action<BackchannelServerOptions> TrustingOn(TimeProvider time, TimeSpan drainTimeout) => options =>
    {
        Trusting(options);
        options.Yamux.TimeProvider = time;
        options.Yamux.EnableKeepAlive = false;
        options.DrainTimeout = drainTimeout;
    };

    internal static async Task<List<string>> ListAsync(TestServer server)
    {
        var names = new List<string>();
        await foreach (var peer in server.Peers.ListAsync(TestContext.Current.CancellationToken))
        {
            names.Add(peer.Name!);
        }

        return names;
    }

    private static Action<IBackchannelServerBuilder> Naming(Func<HttpContext, string?> find)
        => builder => builder.Services.Replace(ServiceDescriptor.Singleton<IBackchannelPeerNameProvider>(new Provider(find)));

    private static (StatusCode Code, string Detail) Told(RpcException failure) => (failure.StatusCode, failure.Status.Detail);

    private sealed class Provider(Func<HttpContext, string?> find) : IBackchannelPeerNameProvider
    {
        public ValueTask<string?> GetNameAsync(HttpContext context, CancellationToken cancellationToken) => new(find(context));
    }
}
