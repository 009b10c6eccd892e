using System.IO.Pipelines;
using System.Net.Security;
using System.Net.Sockets;

namespace Yamux.IO;

/// <summary>A <see cref="Stream"/> as the transport of a session.</summary>
internal sealed class StreamTransport : YamuxTransport
{
    private const int ReadBufferSize = 64 * 1024;

    private readonly Stream _stream;
    private readonly TlsStream? _tls;
    private bool _isShut;

    public StreamTransport(Stream stream)
    {
        if (!stream.CanRead || !stream.CanWrite)
        {
            throw new ArgumentException("The transport of a yamux session must be readable and writable.", nameof(stream));
        }

        _stream = stream;
        _tls = stream is SslStream tls ? new TlsStream(tls) : null;
        if (stream is NetworkStream socket)
        {
            socket.Socket.ConfigureForYamux();
            Input = new SocketReader(socket);
            Output = new SocketWriter(socket);
        }
        else
        {
            Input = PipeReader.Create(_tls ?? stream, new StreamPipeReaderOptions(bufferSize: ReadBufferSize, minimumReadSize: ReadBufferSize / 4, leaveOpen: true));
            Output = PipeWriter.Create(_tls ?? stream, new StreamPipeWriterOptions(leaveOpen: true));
        }
    }

    // A socket whose peer has ended its side alone can still be sent to.
    internal override bool WasReset
    {
        get
        {
            if (_isShut || _stream is not NetworkStream { Socket: var socket })
            {
                return false;
            }

            try
            {
                socket.Send(ReadOnlySpan<byte>.Empty);
                return false;
            }
            catch (SocketException)
            {
                return true;
            }
            catch (ObjectDisposedException)
            {
                return false; // By this end itself.
            }
        }
    }

    public override PipeReader Input { get; }

    public override PipeWriter Output { get; }

    // A read and a write that are under way end with the stream.
    public override void Abort(Exception reason) => _stream.Dispose();

    public override async ValueTask<bool> TryShutdownSendAsync(CancellationToken cancellationToken)
    {
        if (_tls is not null)
        {
            await _tls.ShutdownAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }

        if (_stream is NetworkStream { Socket: var socket })
        {
            _isShut = true;
            socket.Shutdown(SocketShutdown.Send);
            return true;
        }

        return false;
    }

    public override ValueTask DisposeAsync() => _stream.DisposeAsync();
}
