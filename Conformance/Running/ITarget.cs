using System.Net.Sockets;

namespace Conformance.Running;

/// <summary>The implementation under test, wherever it is. Each case gets a connection of its own.</summary>
internal interface ITarget : IDisposable
{
    /// <summary>Whether several connections may be had at once.</summary>
    bool TakesManyConnections { get; }

    /// <exception cref="TargetUnreachableException">There is no connection to be had.</exception>
    Task<Socket> ConnectAsync(CancellationToken cancellationToken);
}
