using System.Net;
using Benchmarks.Wire;

namespace Benchmarks.Loads;

/// <summary>The server that a load is put on, and how to reach it.</summary>
internal sealed record LoadTarget(IImplementation Implementation, IPEndPoint Address, WireSettings Settings)
{
    public Task<WireClient> ConnectAsync() => Implementation.ConnectAsync(Address, Settings);
}
