using System.Net;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Backchannel.Tests.Kit;
using Grpc.Core;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Xunit;

namespace Backchannel.Tests.Docs;

/// <summary>What docs/security.md says of tokens, played with a scheme that stands for JWT's.</summary>
public class SecuritySnippetTests
{
    [Theory]
    [InlineData("Bearer token", "user-1")]
    [InlineData("Bearer other", null)]
    public async Task An_agent_is_named_by_the_token_of_its_channel(string accepted, string? name)
    {
        using var certificates = TestCertificates.Create();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(certificates.Server).UseBackchannel()));
        builder.Services.AddGrpc();
        builder.Services.AddAuthentication().AddScheme<Accepted, HeaderScheme>("Test", scheme => scheme.Header = accepted);
        builder.Services.AddAuthorization();
        builder.Services.AddBackchannel();
        await using var server = builder.Build();
        SecuritySnippets.Authenticate(server);
        await server.StartAsync(TestContext.Current.CancellationToken).Guarded();
        await using var agent = await TestAgent.StartAsync(server.Urls.First(), options: options =>
        {
            options.ConfigureHandler = certificates.Trust;
            SecuritySnippets.ShowToken(options, new SecuritySnippets.TokenSource());
        });

        if (name is null)
        {
            await Guard.Until(() => agent.Connection.LastFailure is not null, "it is refused");
            Assert.Equal(StatusCode.Unauthenticated, Assert.IsType<RpcException>(agent.Connection.LastFailure).StatusCode);
        }
        else
        {
            await agent.Connection.WaitConnectedAsync(TestContext.Current.CancellationToken).Guarded();
            Assert.Equal(name, agent.Connection.Name);
        }
    }

    private sealed class Accepted : AuthenticationSchemeOptions
    {
        public string Header { get; set; } = "";
    }

    private sealed class HeaderScheme(IOptionsMonitor<Accepted> options, ILoggerFactory loggers, UrlEncoder encoder) : AuthenticationHandler<Accepted>(options, loggers, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            var user = new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, "user-1")], Scheme.Name));
            return Task.FromResult(Request.Headers.Authorization == Options.Header
                ? AuthenticateResult.Success(new AuthenticationTicket(user, Scheme.Name))
                : AuthenticateResult.NoResult());
        }
    }
}
