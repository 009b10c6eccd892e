using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Backchannel.Tests.Kit;

/// <summary>An HTTP proxy that knows CONNECT alone, as firewalls have it.</summary>
internal sealed class ConnectProxy : LoopbackProxy
{
    private readonly X509Certificate2? _certificate;
    private int _challenges;

    /// <param name="certificate">If not null, the proxy itself is reached over TLS.</param>
    public ConnectProxy(X509Certificate2? certificate = null)
    {
        _certificate = certificate;
        Start();
    }

    /// <summary>Who may open tunnels; anybody by default.</summary>
    public NetworkCredential? Credentials { get; init; }

    /// <summary>How it asks for them.</summary>
    public string Challenge { get; init; } = "Basic realm=\"test\"";

    /// <summary>Closes the connection after it has asked for credentials, so that they come on another.</summary>
    public bool ClosesAfterChallenge { get; init; }

    /// <summary>Opens no tunnel, and answers this instead.</summary>
    public HttpStatusCode? RefusesWith { get; init; }

    /// <summary>What it says before each answer: answers of 1xx, whole.</summary>
    public string Interim { get; init; } = "";

    /// <summary>Writes each byte of an answer by itself.</summary>
    public bool AnswersInPieces { get; init; }

    public Uri Address => new($"{(_certificate is null ? "http" : "https")}://{Authority}");

    /// <summary>How often it has asked for credentials.</summary>
    public int ChallengeCount => Volatile.Read(ref _challenges);

    protected override async Task ServeAsync(Stream client, CancellationToken cancellationToken)
    {
        if (_certificate is null)
        {
            await ServeRequestsAsync(client, cancellationToken);
            return;
        }

        await using var secure = new SslStream(client);
        await secure.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificate }, cancellationToken);
        await ServeRequestsAsync(secure, cancellationToken);
    }

    private async Task ServeRequestsAsync(Stream client, CancellationToken cancellationToken)
    {
        while (await ReadRequestAsync(client, cancellationToken) is { } request)
        {
            if (!request[0].StartsWith("CONNECT ", StringComparison.Ordinal))
            {
                await AnswerAsync(client, HttpStatusCode.MethodNotAllowed, "", cancellationToken);
            }
            else if (RefusesWith is { } refusal)
            {
                await AnswerAsync(client, refusal, "", cancellationToken);
            }
            else if (IsWelcome(request))
            {
                var target = request[0].Split(' ')[1];
                var colon = target.LastIndexOf(':');
                await TunnelAsync(
                    client, target[..colon].Trim('[', ']'), int.Parse(target[(colon + 1)..], null), Encoding.ASCII.GetBytes(Interim + "HTTP/1.1 200 Connection established\r\n\r\n"), cancellationToken);
                return;
            }
            else
            {
                Interlocked.Increment(ref _challenges);
                await AnswerAsync(
                    client,
                    HttpStatusCode.ProxyAuthenticationRequired,
                    $"Proxy-Authenticate: {Challenge}\r\n" + (ClosesAfterChallenge ? "Connection: close\r\n" : ""),
                    cancellationToken);
                if (ClosesAfterChallenge)
                {
                    return;
                }
            }
        }
    }

    private bool IsWelcome(string[] request)
    {
        if (Credentials is null)
        {
            return true;
        }

        var token = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Credentials.UserName}:{Credentials.Password}"));
        return request.Contains($"Proxy-Authorization: Basic {token}", StringComparer.OrdinalIgnoreCase);
    }

    private async Task AnswerAsync(Stream client, HttpStatusCode status, string headers, CancellationToken cancellationToken)
    {
        var answer = Encoding.ASCII.GetBytes($"{Interim}HTTP/1.1 {(int)status} {status}\r\n{headers}Content-Length: 0\r\n\r\n");
        foreach (var part in answer.Chunk(AnswersInPieces ? 1 : answer.Length))
        {
            await client.WriteAsync(part, cancellationToken);
        }
    }

    /// <summary>The lines of a request; null at the end. Byte by byte, so as to take none that is not its own.</summary>
    private static async Task<string[]?> ReadRequestAsync(Stream client, CancellationToken cancellationToken)
    {
        var bytes = new List<byte>();
        var next = new byte[1];
        while (await client.ReadAsync(next, cancellationToken) == 1)
        {
            bytes.Add(next[0]);
            if (bytes.Count >= 4 && bytes[^4..].SequenceEqual("\r\n\r\n"u8.ToArray()))
            {
                return Encoding.ASCII.GetString([.. bytes]).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
            }
        }

        return null;
    }
}
