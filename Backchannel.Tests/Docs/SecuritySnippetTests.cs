using System.Net;
using System.Security.Claims;
using System.Security.Cryptography;
using Backchannel.Tests.Kit;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Xunit;

namespace Backchannel.Tests.Docs;

/// <summary>What docs/security.md says of tokens.</summary>
public class SecuritySnippetTests
{
    [Fact]
    public async Task An_agent_is_named_by_the_subject_of_its_token()
    {
        await using var play = await Play.StartAsync();
        await using var agent = await play.StartAgentAsync(() => Issue(Play.Key, "device-1"));

        await agent.Connection.WaitConnectedAsync(TestContext.Current.CancellationToken).Guarded();

        Assert.Equal("device-1", agent.Connection.Name);
    }

    [Fact]
    public async Task An_agent_whose_token_somebody_else_has_signed_hears_that_it_was_not_let_in()
    {
        await using var play = await Play.StartAsync();
        await using var agent = await play.StartAgentAsync(() => Issue(new SymmetricSecurityKey(new byte[32]), "device-1"));

        await Guard.Until(() => agent.Connection.LastFailure is not null, "it is refused");

        var failure = Assert.IsType<RpcException>(agent.Connection.LastFailure);
        Assert.Equal(StatusCode.Unauthenticated, failure.StatusCode);
        Assert.Contains("before it looked at the attachment", failure.Status.Detail, StringComparison.Ordinal);
        Assert.Contains("401", failure.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_agent_that_comes_back_shows_the_token_of_then()
    {
        var asked = 0; // Once for each attempt: a third would be device-2's again.
        await using var play = await Play.StartAsync();
        await using var agent = await play.StartAgentAsync(() => Issue(Play.Key, Interlocked.Increment(ref asked) == 1 ? "device-1" : "device-2"));
        await agent.Connection.WaitConnectedAsync(TestContext.Current.CancellationToken).Guarded();

        var peers = play.Services.GetRequiredService<IBackchannelPeers>();
        Assert.True(peers.TryGetPeer("device-1", out var peer));
        await peer.DisconnectAsync("again", TimeSpan.FromMilliseconds(1), TestContext.Current.CancellationToken).Guarded();

        await peers.WaitForPeerAsync("device-2", TestContext.Current.CancellationToken).AsTask().Guarded();
    }

    // What an issuer of tokens does, whose key the server knows.
    private static string Issue(SymmetricSecurityKey key, string subject) => new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
    {
        Subject = new ClaimsIdentity([new Claim("sub", subject)]),
        Issuer = "https://issuer.example",
        Audience = "fleet",
        SigningCredentials = new SigningCredentials(key, SecurityAlgorithms.HmacSha256),
    });

    /// <summary>A server that lets in whom JwtBearer does.</summary>
    private sealed class Play : IAsyncDisposable
    {
        private readonly TestCertificates _certificates;
        private readonly WebApplication _server;

        private Play(TestCertificates certificates, WebApplication server)
        {
            _certificates = certificates;
            _server = server;
        }

        public static SymmetricSecurityKey Key { get; } = new(RandomNumberGenerator.GetBytes(32));

        public IServiceProvider Services => _server.Services;

        public static async Task<Play> StartAsync()
        {
            var certificates = TestCertificates.Create();
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(certificates.Server).UseBackchannel()));
            builder.Services.AddGrpc();
            builder.Services.AddAuthentication().AddJwtBearer(jwt => jwt.TokenValidationParameters = new TokenValidationParameters
            {
                ValidIssuer = "https://issuer.example",
                ValidAudience = "fleet",
                IssuerSigningKey = Key,
            });
            builder.Services.AddAuthorization();
            builder.Services.AddBackchannel();
            var server = builder.Build();
            SecuritySnippets.Authenticate(server);
            await server.StartAsync(TestContext.Current.CancellationToken).Guarded();
            return new Play(certificates, server);
        }

        public Task<TestAgent> StartAgentAsync(Func<string> token) => TestAgent.StartAsync(_server.Urls.First(), options: options =>
        {
            options.ConfigureHandler = _certificates.Trust;
            SecuritySnippets.ShowToken(options, new SecuritySnippets.TokenSource(token));
        });

        public async ValueTask DisposeAsync()
        {
            await _server.DisposeAsync();
            _certificates.Dispose();
        }
    }
}
