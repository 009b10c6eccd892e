using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Backchannel;

/// <summary>What the agent serves its services with, on all of its connections.</summary>
internal sealed class AgentHost
{
    private readonly IServiceProvider _services;
    private readonly BackchannelAgentOptions _options;
    private readonly TimeProvider _timeProvider;
    private readonly IEnumerable<AgentEndpoints> _endpoints;
    private readonly BackchannelHost _host;

    public AgentHost(IServiceProvider services, IOptions<BackchannelAgentOptions> options, IEnumerable<AgentEndpoints> endpoints, AgentClock clock)
    {
        _services = services;
        _options = options.Value;
        _timeProvider = clock.TimeProvider;
        _endpoints = endpoints;
        var host = new BackchannelHostOptions { DrainTimeout = _options.DrainTimeout, LoggerFactory = services.GetRequiredService<ILoggerFactory>() };
        host.Yamux.TimeProvider = _timeProvider;
        host.Yamux.KeepAliveInterval = _options.KeepAliveInterval;
        host.Yamux.KeepAliveTimeout = _options.KeepAliveTimeout;
        _options.ConfigureHost?.Invoke(host);
        host.Validate();
        _host = BackchannelHost.CreateWithin(host, (listener, calls) => new AgentKestrel(_services, listener, host, calls, Build));
    }

    /// <summary>A further connection, which is made when the agent attaches on it.</summary>
    public AgentConnection NewConnection() => new(_host, _options, _timeProvider);

    /// <summary>As <see cref="BackchannelHost.StopAsync"/>.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => _host.StopAsync(cancellationToken);

    // What a web application has between its routing and its endpoints, if the container has what it needs.
    private void Build(IApplicationBuilder app)
    {
        app.UseRouting();
        if (_services.GetService<IAuthenticationSchemeProvider>() is not null)
        {
            app.UseAuthentication();
        }

        if (_services.GetService<IAuthorizationHandlerProvider>() is not null)
        {
            app.UseAuthorization();
        }

        app.UseEndpoints(endpoints =>
        {
            foreach (var mapped in _endpoints)
            {
                mapped.Map(endpoints);
            }
        });
    }
}
