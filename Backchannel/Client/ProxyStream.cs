using System.Buffers.Text;
using System.Globalization;
using System.Net;

namespace Backchannel;

/// <summary>
/// The connection to an HTTP proxy. A refusal, which the HTTP client would report as any answer with a status and gRPC as Internal, is a failed
/// connection here, and so Unavailable. All else passes.
/// </summary>
internal sealed class ProxyStream(Stream inner, HttpRequestMessage request, Func<bool> hasCredentials) : Stream
{
    private const int StatusLength = 12; // HTTP/1.1 200
    private const int CodeLength = 3;

    private readonly byte[] _status = new byte[StatusLength];
    private int _received;
    private bool _isTunnel;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        Look(buffer.Span[..count]);
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(Span<byte> buffer)
    {
        var count = inner.Read(buffer);
        Look(buffer[..count]);
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        _received = 0; // A request: what comes now is its answer.
        return inner.WriteAsync(buffer, cancellationToken);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        _received = 0;
        inner.Write(buffer);
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override void Flush() => inner.Flush();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Look(ReadOnlySpan<byte> bytes)
    {
        if (_isTunnel || _received == StatusLength)
        {
            return;
        }

        var part = bytes[..Math.Min(bytes.Length, StatusLength - _received)];
        part.CopyTo(_status.AsSpan(_received));
        _received += part.Length;
        if (_received == StatusLength && Utf8Parser.TryParse(_status.AsSpan(StatusLength - CodeLength), out int code, out _))
        {
            _isTunnel = code is >= 200 and < 300;
            if (code >= 300 && Refusal((HttpStatusCode)code) is { } why)
            {
                throw new IOException($"The proxy {request.RequestUri} opens no tunnel to {request.Headers.Host}: {why}");
            }
        }
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
