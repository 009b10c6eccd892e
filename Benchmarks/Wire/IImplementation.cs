using System.Net;

namespace Benchmarks.Wire;

/// <summary>One way to have streams over TCP.</summary>
internal interface IImplementation
{
    /// <summary>As the command line names it.</summary>
    string Name { get; }

    Task<WireClient> ConnectAsync(IPEndPoint address, WireSettings settings);

    /// <summary>Serves the streams of one connection until it ends.</summary>
    Task ServeAsync(Stream connection, WireSettings settings);
}
