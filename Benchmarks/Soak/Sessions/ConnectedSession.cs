using System.Net.Sockets;
using Yamux;

namespace Benchmarks.Soak.Sessions;

/// <summary>Both ends of a session, and the client's socket, with which its connection can be reset.</summary>
internal sealed record ConnectedSession(YamuxSession Client, YamuxSession Server, Socket Socket);
