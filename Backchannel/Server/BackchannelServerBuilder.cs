using Microsoft.Extensions.DependencyInjection;

namespace Backchannel;

/// <inheritdoc cref="IBackchannelServerBuilder"/>
internal sealed class BackchannelServerBuilder(IServiceCollection services) : IBackchannelServerBuilder
{
    public IServiceCollection Services => services;
}
