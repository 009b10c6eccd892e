using System.Security.Claims;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Http;

namespace Backchannel;

/// <summary>The default: who has authenticated, by a token or by a certificate.</summary>
internal sealed class UserPeerNameProvider : IBackchannelPeerNameProvider
{
    private const string CommonName = "2.5.4.3";

    public ValueTask<string?> GetNameAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var user = context.User.Identity is { IsAuthenticated: true } ? context.User.FindFirstValue(ClaimTypes.NameIdentifier) : null;
        return new ValueTask<string?>(user ?? CommonNameOf(context.Connection.ClientCertificate));
    }

    private static string? CommonNameOf(X509Certificate2? certificate)
    {
        // The first: the most specific one comes first in the order of RFC 4514, which is that of the enumeration.
        var names = certificate?.SubjectName.EnumerateRelativeDistinguishedNames();
        return names?.FirstOrDefault(part => !part.HasMultipleElements && part.GetSingleElementType().Value == CommonName)?.GetSingleElementValue();
    }
}
