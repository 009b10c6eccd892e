using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Backchannel.Tests.Sidechannels;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Time.Testing;
using Sidechannel;
using Xunit;

namespace Backchannel.Tests.Links.Kit;

/// <summary>A server and a client with the library's defaults, sidechannels both ways, and a link between them that moves the clock of both.</summary>
internal sealed class LinkedPair : IAsyncDisposable
{
    private readonly TestCertificates? _certificates;

    private LinkedPair(SlowLink link, TestServer server, TestCertificates? certificates, FakeTimeProvider time, SidechannelRegistry ofServer)
    {
        (Link, Server, _certificates) = (link, server, certificates);
        var ofClient = new SidechannelRegistry();
        Client = new TestClient(
            server,
            configure: Configure,
            options: options =>
            {
                options.Yamux.TimeProvider = time;
                options.UseSidechannels(ofClient);
            },
            address: $"{(certificates is null ? "http" : "https")}://{link.Address}");
        FromClient = new Caller(ofClient, () => Client.Tester, () => null);
        FromServer = new Caller(ofServer, () => new Tester.TesterClient(Peer.Invoker), () => Peer.Session);
    }

    public SlowLink Link { get; }

    public TestServer Server { get; }

    public TestClient Client { get; }

    /// <summary>The client calls the server.</summary>
    public Caller FromClient { get; }

    /// <summary>The server calls the client.</summary>
    public Caller FromServer { get; }

    /// <summary>The one client.</summary>
    public BackchannelPeer Peer => Assert.Single(Server.Registry.Peers);

    /// <summary>Starts both and connects them, while the link is fast still.</summary>
    /// <param name="secure">Over TLS.</param>
    /// <param name="step">How far the clock moves at a time; null: 100 ms.</param>
    /// <param name="buffer">How many bytes stand in the link itself.</param>
    public static async Task<LinkedPair> StartAsync(bool secure = false, TimeSpan? step = null, int buffer = 64 * 1024)
    {
        var time = new FakeTimeProvider();
        var certificates = secure ? TestCertificates.Create() : null;
        var ofServer = new SidechannelRegistry();
        TestServer? server = null;
        var link = new SlowLink(time, () => IPEndPoint.Parse(new Uri(server!.Address).Authority)) { Step = step ?? TimeSpan.FromMilliseconds(100), BufferSize = buffer };
        server = await TestServer.StartAsync(
            listen =>
            {
                listen.Use(next => connection =>
                {
                    link.Watch(connection.Features.GetRequiredFeature<IConnectionSocketFeature>().Socket);
                    return next(connection);
                });
                if (certificates is null)
                {
                    TestServer.Cleartext(listen);
                }
                else
                {
                    listen.UseHttps(certificates.Server).UseBackchannel();
                }
            },
            options =>
            {
                options.Yamux.TimeProvider = time;
                options.UseSidechannels(ofServer);
            });
        var pair = new LinkedPair(link, server, certificates, time, ofServer);
        await link.CarryAsync(pair.Client.Tester.UnaryAsync(new Request { CallBack = new Request() }).ResponseAsync);
        return pair;
    }

    /// <summary>Who calls from one end of the link, or from the other.</summary>
    public Caller From(LinkEnd end) => end == LinkEnd.Client ? FromClient : FromServer;

    /// <summary>What serves the calls of that end.</summary>
    public TesterState ServedFor(LinkEnd caller) => caller == LinkEnd.Client ? Server.State : Client.State;

    /// <summary>Sends these bytes through so many sidechannels at once. Returns what came of each.</summary>
    public async Task<IReadOnlyCollection<Done>> UploadAsync(LinkEnd caller, byte[] bytes, int count)
    {
        var got = new ConcurrentQueue<Done>();
        ServedFor(caller).Act = async context => got.Enqueue(await Content.ReceiveAsync(new Job(), context));
        await Task.WhenAll(Enumerable.Range(0, count).Select(_ => From(caller).CallAsync((channel, ct) => channel.WriteAsync(bytes, ct).AsTask())));
        return got;
    }

    /// <summary>Has the other end send these bytes through so many sidechannels at once. Returns what came of each.</summary>
    public async Task<IReadOnlyCollection<Done>> DownloadAsync(LinkEnd caller, byte[] bytes, int count)
    {
        var got = new ConcurrentQueue<Done>();
        ServedFor(caller).Act = async context =>
        {
            await using var channel = await context.OpenSidechannelAsync();
            await channel.WriteAsync(bytes, context.CancellationToken);
        };
        await Task.WhenAll(Enumerable.Range(0, count).Select(_ => From(caller).CallAsync(async (channel, ct) => got.Enqueue(await Content.DigestAsync(channel, ct)))));
        return got;
    }

    /// <summary>It is the connection that it was at first, and neither end has logged what looks like a bug.</summary>
    public void AssertAlive()
    {
        Assert.Equal(1, Peer.Id);
        Assert.False(Peer.Completion.IsCompleted);
        Assert.Equal(1, Client.Host.ConnectionCount);
        Server.Log.AssertNoErrors();
        Client.Log.AssertNoErrors();
    }

    public async ValueTask DisposeAsync()
    {
        (Link.Up, Link.Down) = (LinkShape.Fast, LinkShape.Fast);
        await Link.CarryAsync(DisposeEndsAsync());
        Link.Dispose();
        _certificates?.Dispose();
    }

    private async Task DisposeEndsAsync()
    {
        await Client.DisposeAsync();
        await Server.DisposeAsync();
    }

    private void Configure(SocketsHttpHandler handler)
    {
        _certificates?.Trust(handler);
        handler.ConnectCallback = async (context, cancellationToken) =>
        {
            // As the library connects by itself, but that the link knows of it.
            var stream = await TunedConnect.ConnectAsync(context, cancellationToken);
            Link.Watch(((NetworkStream)stream).Socket);
            return stream;
        };
    }
}
