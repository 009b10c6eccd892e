using Conformance.Running;

namespace Conformance.Cases;

/// <summary>Cases in which we break the protocol and the target must not go on as if nothing were.</summary>
internal static class ProtocolError
{
    /// <param name="what">What we do, as the subject of the case's sentence.</param>
    public static SpecCase Case(string id, string what, string source, Func<TestedPeer, Task> provoke)
    {
        return new SpecCase(id, Requirement.Must, $"{what} ends the session, with GoAway code 1.", source, async peer =>
        {
            await provoke(peer);
            await peer.ExpectProtocolErrorAsync();
        }).In(Profile.Hashicorp, $"{what} ends the session, with or without GoAway.", CloseAsync)
            .In(Profile.Libp2p, $"{what} ends the session, with or without GoAway.", CloseAsync);

        async Task CloseAsync(TestedPeer peer)
        {
            await provoke(peer);
            await peer.ExpectSessionEndAsync();
        }
    }
}
