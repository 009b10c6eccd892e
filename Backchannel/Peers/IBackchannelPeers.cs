using System.Diagnostics.CodeAnalysis;
using Grpc.Core;

namespace Backchannel;

/// <summary>
/// The agents that are attached under a name (<see cref="BackchannelEndpointRouteBuilderExtensions.MapBackchannel"/>), and calls to them: where several replicas of a server share a directory
/// (<see cref="BackchannelReplicaBuilderExtensions.AddReplicas"/>), to those of all. Thread safe; a singleton of the server's services.
/// </summary>
public interface IBackchannelPeers
{
    /// <summary>A stub that calls whoever has the name at the time of each call: it may be kept for ever, and outlives the agent's connections.</summary>
    /// <typeparam name="TClient">A generated client, with a public constructor that takes a <see cref="CallInvoker"/>.</typeparam>
    /// <param name="name">The agent's name, whether or not it is attached now.</param>
    /// <param name="options">How the calls are made; null: with the defaults.</param>
    /// <returns>
    /// The stub. Where nobody has the name, a call fails with <see cref="StatusCode.Unavailable"/>, unless it waits (<see cref="CallOptions.WithWaitForReady"/>,
    /// <see cref="PeerCallOptions.WaitForReady"/>). The trailer <c>backchannel-dispatch</c> of a call that fails so is <c>none</c> if it has certainly not reached a handler, and else <c>maybe</c>. What has not
    /// reached a handler is made again where another connection has the name (unary calls); what may have is never.
    /// </returns>
    /// <exception cref="ArgumentException">It cannot be a name: 1 to 128 of the letters and digits of ASCII and of <c>. _ - : / @</c>.</exception>
    /// <exception cref="MissingMethodException">The client has no such constructor.</exception>
    TClient GetClient<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TClient>(string name, PeerCallOptions? options = null)
        where TClient : ClientBase<TClient>;

    /// <summary>The same as <see cref="GetClient{TClient}"/> has it, for the constructor of a generated client.</summary>
    /// <param name="name">The agent's name, whether or not it is attached now.</param>
    /// <param name="options">How the calls are made; null: with the defaults.</param>
    /// <exception cref="ArgumentException">It cannot be a name.</exception>
    CallInvoker GetInvoker(string name, PeerCallOptions? options = null);

    /// <summary>Finds the peer that a call by this name would reach now, if it is attached to this server. False: there is none, or it is attached to another replica.</summary>
    /// <param name="name">The name; what cannot be one is nobody's.</param>
    /// <param name="peer">The peer, with the connection that it has now.</param>
    bool TryGetPeer(string name, [NotNullWhen(true)] out BackchannelPeer? peer);

    /// <summary>Where the peer of the name is, as soon as there is one that can be called: here, or at another replica.</summary>
    /// <param name="name">The name.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentException">It cannot be a name.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    ValueTask<PeerLocation> WaitForPeerAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>
    /// Tells of all that are attached to this replica, and then of who comes and goes, until the enumeration is disposed or cancelled: <see cref="WatchAsync(PeerScope, CancellationToken)"/> of
    /// <see cref="PeerScope.ThisReplica"/>. So each agent is told of by one replica: whoever acts on it does so once.
    /// </summary>
    /// <param name="cancellationToken">Ends the enumeration with <see cref="OperationCanceledException"/>.</param>
    IAsyncEnumerable<PeerChange> WatchAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Tells of all that are attached, and then of who comes and goes, until the enumeration is disposed or cancelled. Per peer in order, and in pairs; who comes and
    /// goes before it is told of is left out, so that a slow reader costs no more than those that there are. An agent that moves from replica to replica may be told of at the next before it has left the one before.
    /// </summary>
    /// <param name="scope">Of this replica, or of all.</param>
    /// <param name="cancellationToken">Ends the enumeration with <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such scope.</exception>
    IAsyncEnumerable<PeerChange> WatchAsync(PeerScope scope, CancellationToken cancellationToken = default);

    /// <summary>All that are attached now, to whatever replica, in the order of their names. Those of a replica that cannot be reached are missing; <see cref="ListPageAsync"/> tells of that.</summary>
    /// <param name="cancellationToken">Ends the enumeration with <see cref="OperationCanceledException"/>.</param>
    IAsyncEnumerable<PeerLocation> ListAsync(CancellationToken cancellationToken = default);

    /// <summary>A part of the same, for a page that people turn: nothing is kept between two of them.</summary>
    /// <param name="continuation">The <see cref="PeerPage.Continuation"/> of the page before; null: the first.</param>
    /// <param name="count">How many at least, if there are; 1 to 10,000. The last name's may be some more.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentOutOfRangeException">The count is out of range.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    ValueTask<PeerPage> ListPageAsync(string? continuation = null, int count = 100, CancellationToken cancellationToken = default);

    /// <summary>
    /// Sends all agents elsewhere, as a server does that stops: no more attach (<see cref="StatusCode.ResourceExhausted"/>), those that are attached hear of it one after the other, and have
    /// <see cref="BackchannelServerOptions.DrainTimeout"/> to move. For a hook before the stop of a container, say. There is no way back.
    /// </summary>
    /// <param name="cancellationToken">Gives up waiting; the drain goes on.</param>
    /// <returns>Completes when nobody is attached.</returns>
    Task DrainAsync(CancellationToken cancellationToken = default);
}
