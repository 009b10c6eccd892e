using System.Net;
using Backchannel;
using Grpc.Core;
using Interop.Tests.Proto;
using Interop.Tests.Sidechannel;
using Interop.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Interop.Tests.Calls;

/// <summary>Our server in Gitaly's place: Kestrel on a free loopback port, with or without TLS, for clients of both kinds.</summary>
internal sealed class CSharpServer : IAsyncDisposable, ICallerDirectory
{
    private readonly WebApplication _app;
    private readonly ErrorLog _errors = new();

    private CSharpServer(Endpoint? endpoint, ITransfers transfers, string? token)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddProvider(_errors);
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => Listen(kestrel, endpoint));
        builder.Services.AddGrpc(options =>
        {
            options.EnableDetailedErrors = true;
            if (token is not null)
            {
                options.Interceptors.Add<GitalyTokenServerInterceptor>(token);
            }
        });
        builder.Services.AddBackchannel(options => options.TrustNamesOfClients = true);
        builder.Services.AddSingleton(Log);
        builder.Services.AddSingleton<ICallerDirectory>(this);
        builder.Services.AddSingleton(transfers);
        _app = builder.Build();
        _app.MapBackchannel();
        _app.MapGrpcService<FarEndService>();
        _app.MapGrpcService<ForwardingVoter>();
    }

    public CallLog Log { get; } = new();

    public IBackchannelRegistry Peers => _app.Services.GetRequiredService<IBackchannelRegistry>();

    /// <summary>Those that have attached under a name.</summary>
    public IBackchannelPeers Names => _app.Services.GetRequiredService<IBackchannelPeers>();

    /// <summary>As both languages dial it.</summary>
    public string Address => _app.Urls.Single().Split("://")[1];

    public static async Task<CSharpServer> StartAsync(Endpoint? endpoint = null, ITransfers? transfers = null, string? token = null)
    {
        var server = new CSharpServer(endpoint, transfers ?? new TransferHandler(), token);
        await server._app.StartAsync(TestContext.Current.CancellationToken);
        return server;
    }

    public FarEnd.FarEndClient CallerOf(ServerCallContext context) => new(context.GetBackchannelPeer().Invoker);

    public Identity Identify(ServerCallContext context)
    {
        var identity = new Identity { CertificateName = context.GetHttpContext().Connection.ClientCertificate?.Subject ?? "" };
        if (context.TryGetBackchannelPeer(out var peer))
        {
            identity.Multiplexed = true;
            identity.PeerId = peer.Id;
        }

        return identity;
    }

    /// <summary>Stops; there must have been no error.</summary>
    public async Task EndAsync()
    {
        await _app.StopAsync(TestContext.Current.CancellationToken).Guarded();
        Assert.Equal("", string.Join('\n', _errors.Entries));
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static void Listen(KestrelServerOptions kestrel, Endpoint? endpoint)
    {
        void Configure(ListenOptions listen)
        {
            listen.Protocols = HttpProtocols.Http2;
            if (endpoint?.Certificates is { } certificates)
            {
                listen.UseHttps(certificates.Server, https => RequireCertificate(https, endpoint));
            }

            listen.UseBackchannel();
        }

        if (endpoint?.Transport == Transport.Unix)
        {
            kestrel.ListenUnixSocket(endpoint.SocketPath, Configure);
        }
        else
        {
            kestrel.Listen(endpoint?.Transport == Transport.IPv6 ? IPAddress.IPv6Loopback : IPAddress.Loopback, 0, Configure);
        }
    }

    private static void RequireCertificate(HttpsConnectionAdapterOptions https, Endpoint endpoint)
    {
        if (endpoint.ClientHasCertificate)
        {
            https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
            https.ClientCertificateValidation = (certificate, chain, _) =>
            {
                chain!.ChainPolicy = endpoint.Certificates!.Trust();
                return chain.Build(certificate);
            };
        }
    }
}
