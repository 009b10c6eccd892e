using System.Net;

namespace Backchannel;

/// <summary>The body of an answer to a call. It is disposed when the call has ended, however that was.</summary>
internal sealed class CountedContent : HttpContent
{
    private readonly HttpContent _inner;
    private PeerCalls? _calls;

    public CountedContent(HttpContent inner, PeerCalls calls)
    {
        _inner = inner;
        _calls = calls;
        foreach (var (name, values) in inner.Headers.NonValidated)
        {
            Headers.TryAddWithoutValidation(name, values);
        }
    }

    protected override Task<Stream> CreateContentReadStreamAsync() => _inner.ReadAsStreamAsync();

    protected override Task<Stream> CreateContentReadStreamAsync(CancellationToken cancellationToken) => _inner.ReadAsStreamAsync(cancellationToken);

    protected override Stream CreateContentReadStream(CancellationToken cancellationToken) => _inner.ReadAsStream(cancellationToken);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => _inner.CopyToAsync(stream, context);

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _inner.Dispose();
            Interlocked.Exchange(ref _calls, null)?.End();
        }

        base.Dispose(disposing);
    }
}
