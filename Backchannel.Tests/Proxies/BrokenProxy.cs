using System.Net;

namespace Backchannel.Tests.Proxies;

/// <summary>Fails to say which proxy is to be used.</summary>
internal sealed class BrokenProxy : IWebProxy
{
    public ICredentials? Credentials { get; set; }

    public Uri? GetProxy(Uri destination) => throw new InvalidOperationException("broken");

    public bool IsBypassed(Uri host) => throw new InvalidOperationException("broken");
}
