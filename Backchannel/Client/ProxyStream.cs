using System.Buffers.Text;
using System.Globalization;
using System.Net;

namespace Backchannel;

/// <summary>
/// The connection to an HTTP proxy. A refusal, which the HTTP client would report as any answer with a status and gRPC as Internal, is a failed
/// connection here, and so Unavailable. All else passes.
/// </summary>
internal sealed class ProxyStream(Stream inner, HttpRequestMessage request, Func<bool> hasCredentials) : UnseekableStream
{
    private const int StatusLength = 12; // HTTP/1.1 200
    private const int CodeLength = 3;

    private static ReadOnlySpan<byte> Protocol => "HTTP/1."u8;

    private readonly byte[] _status = new byte[StatusLength];
    private int _received;
    private bool _hasAnswered;
    private bool _isTunnel;
    private bool _isInterim;
    private bool _isLineEmpty;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int count;
        try
        {
            count = await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException failure) when (!_hasAnswered)
        {
            throw Fail($"it took the connection, and ended it. ({failure.Message})");
        }

        Look(buffer.Span[..count], buffer.IsEmpty);
        return count;
    }

    public override int Read(Span<byte> buffer)
    {
        var count = inner.Read(buffer);
        Look(buffer[..count], buffer.IsEmpty);
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Restart();
        return inner.WriteAsync(buffer, cancellationToken);
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        Restart();
        inner.Write(buffer);
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override void Flush() => inner.Flush();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }

    // A request: what comes now is its answer.
    private void Restart() => (_received, _isInterim, _isLineEmpty) = (0, false, false);

    // Nothing: the end. After an answer the HTTP client has its own ways with it, a new connection say, for the credentials that were asked for.
    private void Look(ReadOnlySpan<byte> bytes, bool isEmptyRead)
    {
        if (bytes.IsEmpty && !isEmptyRead && (!_hasAnswered || _received is > 0 and < StatusLength))
        {
            throw Fail("it took the connection, and closed it before it had answered.");
        }

        _hasAnswered |= !bytes.IsEmpty;
        Look(bytes);
    }

    // From the beginning of an answer to its status, and past the answers that announce another (1xx).
    private void Look(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty && !_isTunnel)
        {
            if (_received == StatusLength)
            {
                if (!_isInterim)
                {
                    return;
                }

                SkipToNextAnswer(ref bytes);
                continue;
            }

            var part = bytes[..Math.Min(bytes.Length, StatusLength - _received)];
            part.CopyTo(_status.AsSpan(_received));
            _received += part.Length;
            bytes = bytes[part.Length..];
            if (!_status.AsSpan(0, Math.Min(_received, Protocol.Length)).SequenceEqual(Protocol[..Math.Min(_received, Protocol.Length)]))
            {
                throw Fail($"it does not speak HTTP, its answer begins with octet {_status[0]}.");
            }

            if (_received == StatusLength && Utf8Parser.TryParse(_status.AsSpan(StatusLength - CodeLength), out int code, out _))
            {
                OnStatus(code);
            }
        }
    }

    private void OnStatus(int code)
    {
        _isInterim = code is >= 100 and < 200;
        _isTunnel = code is >= 200 and < 300;
        if (code >= 300 && Refusal((HttpStatusCode)code) is { } why)
        {
            throw Fail(why);
        }
    }

    private BackchannelConnectException Fail(string why)
        => new($"The proxy {ConnectFailure.Address(request.RequestUri!)} opens no tunnel to {request.Headers.Host}: {why}");

    // An empty line ends the fields. RFC 9112, 2.2: some end a line with LF alone.
    private void SkipToNextAnswer(ref ReadOnlySpan<byte> bytes)
    {
        for (var i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] == '\n' && _isLineEmpty)
            {
                bytes = bytes[(i + 1)..];
                Restart();
                return;
            }

            _isLineEmpty = bytes[i] == '\n' || (bytes[i] == '\r' && _isLineEmpty);
        }

        bytes = default;
    }

    /// <summary>Null if the HTTP client still has credentials to try.</summary>
    private string? Refusal(HttpStatusCode code)
    {
        if (code != HttpStatusCode.ProxyAuthenticationRequired)
        {
            return $"it answered {((int)code).ToString(CultureInfo.InvariantCulture)}.";
        }

        if (!hasCredentials())
        {
            return "it answered 407, and there are no credentials for it. Set those of handler.Proxy.";
        }

        // With other schemes it may take several rounds.
        return request.Headers.ProxyAuthorization?.Scheme == "Basic" ? "it answered 407 to the credentials of handler.Proxy." : null;
    }
}
