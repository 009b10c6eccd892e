using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Backchannel;

/// <summary>Makes a program an agent of a server.</summary>
public static class BackchannelAgentServiceCollectionExtensions
{
    /// <summary>
    /// Adds an agent: while the host runs it stays connected to the server, attached under its name, so that the server can call what <c>MapGrpcService</c> maps. A program has one agent; a second call
    /// goes on with the first one.
    /// </summary>
    /// <remarks>The section <c>Backchannel:Agent</c> of the configuration overrides <paramref name="address"/>, and <paramref name="configure"/> overrides both.</remarks>
    /// <param name="services">The program's services.</param>
    /// <param name="address">The server's address, <c>https://</c> or <c>http://</c>, where the configuration has none. Null: it must have one.</param>
    /// <param name="configure">Changes the settings; null leaves them. What is wrong with them fails the start of the host.</param>
    /// <returns>Adds what the agent serves and calls.</returns>
    public static IBackchannelAgentBuilder AddBackchannelAgent(this IServiceCollection services, string? address = null, Action<BackchannelAgentOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        var options = services.AddOptions<BackchannelAgentOptions>();
        if (address is not null)
        {
            options.Configure(agent => agent.Address = agent.Address.Length > 0 ? agent.Address : address);
        }

        if (!services.Any(service => service.ServiceType == typeof(AgentService)))
        {
            services.AddRouting();

            // Routing tells it what it matches; a web application has one.
            services.TryAddSingleton(_ => new DiagnosticListener("Microsoft.AspNetCore"));
            services.TryAddSingleton<DiagnosticSource>(provider => provider.GetRequiredService<DiagnosticListener>());
            services.AddHttpContextAccessor();
            services.AddMetrics();
            services.AddSingleton<AgentMetrics>();
            services.AddSingleton<AgentClock>();
            services.AddSingleton<AgentHost>();
            services.AddSingleton<AgentStatus>();
            services.AddSingleton<IBackchannelConnection>(provider => provider.GetRequiredService<AgentStatus>());
            services.AddSingleton<AgentService>();
            services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<AgentService>());
            services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<BackchannelAgentOptions>, AgentOptionsValidator>());
            options.BindConfiguration(BackchannelAgentOptions.Section).ValidateOnStart();
        }

        if (configure is not null)
        {
            options.Configure(configure);
        }

        return new BackchannelAgentBuilder(services);
    }
}
