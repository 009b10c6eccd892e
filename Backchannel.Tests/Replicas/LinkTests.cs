using System.Net.Security;
using Backchannel.Tests.Kit;
using Backchannel.Tests.Replicas.Kit;
using Grpc.Core;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Backchannel.Tests.Replicas;

/// <summary>The endpoint of links: who may use it, and what they may say.</summary>
public class LinkTests
{
    private static readonly InMemoryBackchannelDirectory Unused = new();

    [Fact]
    public async Task Over_TLS_each_shows_its_certificate()
    {
        using var certificates = TestCertificates.Create("replica");
        var directory = new InMemoryBackchannelDirectory();
        await using var first = await StartAsync(directory, certificates, Shown(certificates));
        await using var second = await StartAsync(directory, certificates, Shown(certificates));
        await using var agent = await AttachedAgent.StartAsync(first.Server, "a");

        Assert.Equal("a", await FarCallTests.CallAsync(second, "a", FarCallTests.Kind.Unary));
    }

    [Theory]
    [InlineData(ClientCertificateMode.RequireCertificate)]
    [InlineData(ClientCertificateMode.AllowCertificate)]
    [InlineData(ClientCertificateMode.NoCertificate)]
    public async Task Who_shows_no_certificate_calls_nobody_and_both_ends_say_why(ClientCertificateMode mode)
    {
        using var certificates = TestCertificates.Create("replica");
        var directory = new InMemoryBackchannelDirectory();
        await using var first = await StartAsync(directory, certificates, Shown(certificates), mode);
        await using var second = await StartAsync(directory, certificates, tls => tls.CertificateChainPolicy = certificates.NewClientOptions().CertificateChainPolicy);
        await using var agent = await AttachedAgent.StartAsync(first.Server, "a");

        var failure = await Assert.ThrowsAsync<RpcException>(() => FarCallTests.CallAsync(second, "a", FarCallTests.Kind.Unary));

        Assert.Equal((StatusCode.Unavailable, "none"), (failure.StatusCode, failure.Trailers.GetValue("backchannel-dispatch")));
        Assert.Contains("cannot be reached", failure.Status.Detail, StringComparison.Ordinal);
        if (mode != ClientCertificateMode.RequireCertificate)
        {
            Assert.Contains(first.Server.Log.Lines, line => line.Event.Name == "LinkRefused" && line.Level == LogLevel.Error);
        }
    }

    [Fact]
    public async Task Who_shows_a_certificate_of_another_authority_calls_nobody()
    {
        using var certificates = TestCertificates.Create("replica");
        using var others = TestCertificates.Create("replica of others");
        var directory = new InMemoryBackchannelDirectory();
        await using var first = await StartAsync(directory, certificates, Shown(certificates));
        await using var second = await StartAsync(directory, certificates, tls =>
        {
            tls.CertificateChainPolicy = certificates.NewClientOptions().CertificateChainPolicy;
            tls.ClientCertificates = [others.Client];
        });
        await using var agent = await AttachedAgent.StartAsync(first.Server, "a");

        var failure = await Assert.ThrowsAsync<RpcException>(() => FarCallTests.CallAsync(second, "a", FarCallTests.Kind.Unary));

        Assert.Equal((StatusCode.Unavailable, "none"), (failure.StatusCode, failure.Trailers.GetValue("backchannel-dispatch")));
    }

    [Fact]
    public async Task A_replica_whose_certificate_is_not_trusted_is_not_called()
    {
        using var certificates = TestCertificates.Create("replica");
        var directory = new InMemoryBackchannelDirectory();
        await using var first = await StartAsync(directory, certificates, Shown(certificates));
        await using var second = await StartAsync(directory, certificates, tls => tls.ClientCertificates = [certificates.Client]);
        await using var agent = await AttachedAgent.StartAsync(first.Server, "a");

        var failure = await Assert.ThrowsAsync<RpcException>(() => FarCallTests.CallAsync(second, "a", FarCallTests.Kind.Unary));

        Assert.Contains("certificate", failure.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_endpoint_without_TLS_that_is_not_loopback_fails_the_start()
    {
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => TestServer.StartAsync(
            kestrel => kestrel.ListenAnyIP(0, listen => listen.UseBackchannelLink()), null, builder => builder.AddReplicas(replica => replica.Address = new Uri("http://127.0.0.1:1"))));

        Assert.Contains("RequireCertificate", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_endpoint_without_the_services_fails_the_start()
    {
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => TestServer.StartAsync(listen => listen.UseBackchannelLink()));

        Assert.Contains("AddReplicas", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "not set")]
    [InlineData("http://10.0.0.1:5002", "AllowPlaintext")]
    [InlineData("ftp://10.0.0.1:5002", "ftp")]
    [InlineData("https://10.0.0.1:5002/path", "path")]
    public async Task An_address_that_nobody_can_use_fails_the_start(string? address, string message)
    {
        var failure = await Assert.ThrowsAnyAsync<ArgumentException>(() => Replica.StartAsync(Unused, replica: settings => settings.Address = address is null ? null : new Uri(address)));

        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_speaks_no_link_is_turned_away_and_told_of()
    {
        await using var replica = await Replica.StartAsync(new InMemoryBackchannelDirectory());
        await using var http = await LinkClient.ConnectOnlyAsync(replica);
        await http.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray());

        Assert.True(await IsEndedAsync(http));
        Assert.Contains(replica.Server.Log.Lines, line => line.Event.Name == "LinkRefused");
    }

    [Fact]
    public async Task An_agent_that_is_not_there_is_not_here()
    {
        await using var replica = await Replica.StartAsync(new InMemoryBackchannelDirectory());
        await using var client = await LinkClient.ConnectAsync(replica);

        Assert.Equal((byte)LinkAnswer.NotHere, await client.AskAsync(new LinkHeader(replica.Id, "me", "x", 0).ToBytes()));
        Assert.Equal((byte)LinkAnswer.NotHere, await client.AskAsync(new LinkHeader(replica.Id, "me", "x", 7).ToBytes()));
        Assert.Equal((byte)LinkAnswer.OtherReplica, await client.AskAsync(new LinkHeader("another", "me", "x", 0).ToBytes()));
    }

    [Fact]
    public async Task A_header_of_a_newer_version_is_answered_by_that_and_one_with_more_behind_is_read()
    {
        await using var replica = await Replica.StartAsync(new InMemoryBackchannelDirectory());
        await using var client = await LinkClient.ConnectAsync(replica);
        var newer = new LinkHeader(replica.Id, "me", "x", 0).ToBytes();
        newer[0] = 2;
        var more = new LinkHeader(replica.Id, "me", "x", 0).ToBytes();
        more[2] += 5;

        Assert.Equal((byte)LinkAnswer.UnknownVersion, await client.AskAsync(newer));
        Assert.Equal((byte)LinkAnswer.NotHere, await client.AskAsync([.. more, 1, 2, 3, 4, 5]));
        Assert.Contains(replica.Server.Log.Lines, line => line.Event.Name == "LinkStreamRefused" && line.Message.Contains("version 2", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("01ffff")] // Too long.
    [InlineData("010000")] // Nothing.
    [InlineData("010008ffffffffffffffff")] // A negative number, and no names.
    [InlineData("01000b0000000000000000000000")] // No name.
    [InlineData("01000c000000000000000005616263")] // A length that is past the end.
    [InlineData("01")] // Cut.
    [InlineData("010100")] // Cut.
    public async Task A_header_that_is_none_is_reset_and_the_others_go_on(string header)
    {
        await using var replica = await Replica.StartAsync(new InMemoryBackchannelDirectory());
        await using var client = await LinkClient.ConnectAsync(replica);

        Assert.Null(await client.AskAsync(Convert.FromHexString(header), complete: true));

        Assert.Equal((byte)LinkAnswer.NotHere, await client.AskAsync(new LinkHeader(replica.Id, "me", "x", 0).ToBytes()));
        Assert.Contains(replica.Server.Log.Lines, line => line.Event.Name == "LinkStreamRefused");
    }

    [Fact]
    public async Task A_header_of_a_megabyte_is_reset_before_it_is_read()
    {
        await using var replica = await Replica.StartAsync(new InMemoryBackchannelDirectory());
        await using var client = await LinkClient.ConnectAsync(replica);

        Assert.Null(await client.AskAsync([1, 0xff, 0xff, .. new byte[200_000]]));
        Assert.Equal((byte)LinkAnswer.NotHere, await client.AskAsync(new LinkHeader(replica.Id, "me", "x", 0).ToBytes()));
    }

    private static async Task<bool> IsEndedAsync(Stream stream)
    {
        try
        {
            return await stream.ReadAsync(new byte[1]).AsTask().Guarded() == 0;
        }
        catch (IOException)
        {
            return true;
        }
    }

    private static Action<SslClientAuthenticationOptions> Shown(TestCertificates certificates) => tls =>
    {
        tls.CertificateChainPolicy = certificates.NewClientOptions().CertificateChainPolicy;
        tls.ClientCertificates = [certificates.Client];
    };

    private static Task<Replica> StartAsync(
        BackchannelDirectory directory, TestCertificates certificates, Action<SslClientAuthenticationOptions> tls, ClientCertificateMode mode = ClientCertificateMode.RequireCertificate)
        => Replica.StartAsync(
            directory,
            replica: settings =>
            {
                settings.Address = new UriBuilder(settings.Address!) { Scheme = "https" }.Uri;
                settings.ConfigureTls = tls;
            },
            link: listen => listen
                .UseHttps(certificates.Server, https =>
                {
                    https.ClientCertificateMode = mode;
                    https.ClientCertificateValidation = (certificate, _, _) => certificate.Issuer == certificates.Authority.Subject && certificate.Subject == certificates.Client.Subject;
                })
                .UseBackchannelLink());
}
