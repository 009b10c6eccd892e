using System.Net.Sockets;

namespace Backchannel.Tests.Kit;

/// <summary>A client's connection that can be frozen, as one whose cable was cut: nothing comes, and what is sent goes nowhere.</summary>
internal sealed class FrozenLink : IDisposable
{
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _frozen;

    /// <returns>This: its disposal lets go of what waits for the other end, before those who use the link are disposed of.</returns>
    public FrozenLink Freeze()
    {
        _frozen = true;
        return this;
    }

    public void Dispose() => _end.TrySetResult();

    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
        return new Connection(this, socket);
    }

    private sealed class Connection(FrozenLink link, Socket socket) : NetworkStream(socket, ownsSocket: true)
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = await base.ReadAsync(buffer, cancellationToken);
            if (link._frozen)
            {
                await link._end.Task.WaitAsync(cancellationToken);
                return 0;
            }

            return count;
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
            => link._frozen ? default : base.WriteAsync(buffer, cancellationToken);

        protected override void Dispose(bool disposing)
        {
            if (!link._frozen)
            {
                base.Dispose(disposing);
            }
        }
    }
}
