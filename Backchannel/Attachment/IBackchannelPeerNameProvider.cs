using Microsoft.AspNetCore.Http;

namespace Backchannel;

/// <summary>
/// Says under which name an agent that attaches can be called. Register one as a singleton to replace the default, which takes the authenticated user's
/// <c>NameIdentifier</c> claim, or else the common name of the client certificate's subject.
/// </summary>
public interface IBackchannelPeerNameProvider
{
    /// <summary>The agent's name.</summary>
    /// <param name="context">The Attach call: its user, its connection, its headers. What the agent itself asks to be called is not to be trusted, and not in it.</param>
    /// <param name="cancellationToken">Cancelled when the agent has gone.</param>
    /// <returns>
    /// 1 to 128 of the letters and digits of ASCII and of <c>. _ - : / @</c>; anything else fails the attachment with <c>InvalidArgument</c>. Null: the agent has no name,
    /// and is refused with <c>Unauthenticated</c>.
    /// </returns>
    ValueTask<string?> GetNameAsync(HttpContext context, CancellationToken cancellationToken);
}
