using Microsoft.Extensions.DependencyInjection;

namespace Backchannel;

/// <summary>Adds to an agent; <c>AddBackchannelAgent</c> returns it.</summary>
public interface IBackchannelAgentBuilder
{
    /// <summary>The services of the program that the agent is a part of.</summary>
    IServiceCollection Services { get; }
}
