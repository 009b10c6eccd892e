using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Backchannel.Tests.Docs;

/// <summary>The code of docs/replicas.md.</summary>
internal static class ReplicaSnippets
{
    public static void Configure(WebApplicationBuilder builder, string podAddress, X509Certificate2 certificate)
    {
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ListenAnyIP(5001, listen => listen.UseHttps().UseBackchannel());
            kestrel.ListenAnyIP(5002, listen => listen.UseHttps(Links).UseBackchannelLink());
        });
        builder.Services.AddBackchannel()
            .AddReplicas(replica =>
            {
                replica.Address = new Uri($"https://{podAddress}:5002");
                replica.ConfigureTls = tls =>
                {
                    tls.ClientCertificates = [certificate];
                    tls.CertificateChainPolicy = Trust();
                    tls.TargetHost = "replica.fleet.internal";
                };
            })
            .AddStackExchangeRedis("redis:6379");

        void Links(HttpsConnectionAdapterOptions https)
        {
            https.ServerCertificate = certificate;
            https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
            https.OnAuthenticate = (_, tls) => tls.CertificateChainPolicy = Trust();
        }
    }

    // The authority that issues certificates to replicas alone.
    private static X509ChainPolicy Trust()
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile("replicas-ca.pem");
        return policy;
    }
}
