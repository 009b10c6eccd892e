using Microsoft.Extensions.Logging;
using Yamux;

namespace Benchmarks.Soak.Sessions;

/// <summary>One of the ways in which the sessions of a soak are carried.</summary>
internal interface ITransport : IAsyncDisposable
{
    /// <summary>How many streams are opened on a session at once at most, so that a slow one comes to rest in time.</summary>
    int MaxStreams { get; }

    /// <summary>How long a session on it waits at least before it calls its peer silent.</summary>
    TimeSpan LeastPatience { get; }

    /// <summary>How many sockets a session takes.</summary>
    int Sockets { get; }

    /// <summary>A new session, both ends of it. Thread safe.</summary>
    Task<ConnectedSession> ConnectAsync(YamuxOptions clientOptions, YamuxOptions serverOptions, ILogger logger, CancellationToken cancellationToken);
}
