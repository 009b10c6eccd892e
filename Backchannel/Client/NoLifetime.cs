using Microsoft.Extensions.Hosting;

namespace Backchannel;

/// <summary>
/// The inner server lives as long as its <see cref="BackchannelHost"/>. The default would take Ctrl-C and SIGTERM away from
/// the program that it is a part of.
/// </summary>
internal sealed class NoLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
