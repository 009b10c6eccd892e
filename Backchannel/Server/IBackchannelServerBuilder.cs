using Microsoft.Extensions.DependencyInjection;

namespace Backchannel;

/// <summary>Adds to the server's side of the backchannel; <see cref="BackchannelServiceCollectionExtensions.AddBackchannel"/> returns it.</summary>
public interface IBackchannelServerBuilder
{
    /// <summary>The server's services.</summary>
    IServiceCollection Services { get; }
}
