using System.Security.Claims;
using System.Security.Cryptography.X509Certificates;
using Backchannel;
using Fleet;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Backchannel.Tests.Docs;

/// <summary>What docs/security.md shows.</summary>
internal static class SecuritySnippets
{
    public static void RequireCertificates(WebApplicationBuilder builder, X509Certificate2 authority)
    {
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenAnyIP(5001, listen => listen.UseHttps(https =>
        {
            https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
            https.OnAuthenticate = (_, tls) => tls.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,               // the fleet's own authority, and none of the system's
                CustomTrustStore = { authority },
                RevocationMode = X509RevocationMode.NoCheck,                  // or Online, if the authority has a CRL or OCSP
            };
        }).UseBackchannel()));
    }

    public static void ShowCertificate(HostApplicationBuilder builder)
    {
        builder.Services.AddBackchannelAgent("https://server.example:5001", agent => agent.ConfigureHandler = handler =>
            handler.SslOptions.ClientCertificates = [X509CertificateLoader.LoadPkcs12FromFile("device.pfx", password: null)]);
    }

    public static void Authenticate(WebApplication app)
    {
        app.MapBackchannel().RequireAuthorization();
    }

    public static void ShowToken(BackchannelAgentOptions agent, TokenSource tokens)
    {
        agent.ConfigureChannel = channel => channel.Credentials = ChannelCredentials.Create(
            ChannelCredentials.SecureSsl,
            CallCredentials.FromInterceptor(async (call, headers) => headers.Add("authorization", $"Bearer {await tokens.GetAsync(call.CancellationToken)}")));
    }

    public static void NameDevices(WebApplicationBuilder builder)
    {
        builder.Services.AddBackchannel();
        builder.Services.AddSingleton<IBackchannelPeerNameProvider, DeviceNames>();
    }

    public static void Trust(WebApplicationBuilder builder)
    {
        builder.Services.AddBackchannel(options => options.TrustNamesOfClients = builder.Environment.IsDevelopment());
    }

    public static void Admit(WebApplicationBuilder builder, RevokedDevices revoked)
    {
        builder.Services.AddBackchannel(options => options.OnConnecting = async connecting =>
        {
            if (connecting.ClientCertificate is not { } certificate || await revoked.ContainsAsync(certificate, connecting.CancellationToken))
            {
                connecting.Refuse("its certificate was revoked");
            }
        });
    }

    internal sealed class TokenSource(Func<string> issue)
    {
        public Task<string> GetAsync(CancellationToken cancellationToken) => Task.FromResult(issue());
    }

    internal sealed class RevokedDevices
    {
        public Task<bool> ContainsAsync(X509Certificate2 certificate, CancellationToken cancellationToken) => Task.FromResult(false);
    }
}

class DeviceNames : IBackchannelPeerNameProvider
{
    public ValueTask<string?> GetNameAsync(HttpContext context, CancellationToken cancellationToken)
        => new(context.User.FindFirstValue("device_id"));
}

class InventoryService : Inventory.InventoryBase
{
    public override Task<ReportReply> Report(ReportRequest request, ServerCallContext context)
    {
        var name = context.GetBackchannelPeer().Name                          // null: the client has not attached
            ?? throw new RpcException(new Status(StatusCode.PermissionDenied, "only agents may report"));
        return Task.FromResult(new ReportReply { KnownAs = name });
    }
}
