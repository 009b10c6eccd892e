using System.Net;
using System.Text;

namespace Backchannel.Tests.Kit;

/// <summary>A SOCKS5 proxy (RFC 1928) without authentication.</summary>
internal sealed class Socks5Proxy : LoopbackProxy
{
    private const byte Version = 5;
    private const byte Name = 3;
    private const byte IPv4 = 1;

    public Socks5Proxy() => Start();

    public Uri Address => new($"socks5://{Authority}");

    protected override async Task ServeAsync(Stream client, CancellationToken cancellationToken)
    {
        var methods = (await ReadAsync(2))[1];
        await ReadAsync(methods);
        await client.WriteAsync(new byte[] { Version, 0 }, cancellationToken);
        var kind = (await ReadAsync(4))[3];
        var length = kind == Name ? (await ReadAsync(1))[0] : kind == IPv4 ? 4 : 16;
        var address = await ReadAsync(length);
        var port = await ReadAsync(2);
        await TunnelAsync(
            client,
            kind == Name ? Encoding.ASCII.GetString(address) : new IPAddress(address).ToString(),
            (port[0] << 8) | port[1],
            [Version, 0, 0, IPv4, 0, 0, 0, 0, 0, 0],
            cancellationToken);

        async Task<byte[]> ReadAsync(int count)
        {
            var bytes = new byte[count];
            await client.ReadExactlyAsync(bytes, cancellationToken);
            return bytes;
        }
    }
}
