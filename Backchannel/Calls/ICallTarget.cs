using Grpc.Core;

namespace Backchannel;

/// <summary>Somebody whom calls can be made to: by a server a peer, by an agent a connection to its server.</summary>
internal interface ICallTarget
{
    CallInvoker Invoker { get; }
}
