using System.Net;

namespace Backchannel;

/// <summary>The proxy of an HTTP handler: its own, or that of the environment.</summary>
internal static class HandlerProxy
{
    /// <summary>The proxy by which it reaches an address; null: by none.</summary>
    public static Uri? Find(SocketsHttpHandler handler, Uri address)
    {
        var proxy = handler.UseProxy ? handler.Proxy ?? HttpClient.DefaultProxy : null;
        try
        {
            return proxy is null || proxy.IsBypassed(address) ? null : proxy.GetProxy(address);
        }
        catch (Exception)
        {
            return null; // The HTTP client logs it, and goes by none.
        }
    }

    public static ICredentials? Credentials(SocketsHttpHandler handler)
        => (handler.Proxy ?? HttpClient.DefaultProxy).Credentials ?? handler.DefaultProxyCredentials;
}
