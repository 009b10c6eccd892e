using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;

namespace Backchannel;

/// <summary>What serves the client's services on what servers open.</summary>
internal interface IInnerApplication : IAsyncDisposable
{
    /// <summary>Where it logs.</summary>
    ILoggerFactory Loggers { get; }

    /// <summary>Where its meters come from.</summary>
    IMeterFactory Meters { get; }

    Task StartAsync(CancellationToken cancellationToken);

    /// <summary>Stops in good order; what goes on is cut off in a time of its own, or when the token is cancelled.</summary>
    Task StopAsync(CancellationToken cancellationToken);
}
