using System.Diagnostics;
using System.Security.Cryptography;

namespace Yamux.Tests.Abuse;

/// <summary>Two honest sessions of the same process, over TCP, one of which goes on sending what the other echoes.</summary>
internal sealed class Bystander : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly CancellationTokenSource _over = new();
    private readonly SessionPair _pair;
    private readonly Task _echoing;
    private readonly Task _sending;
    private readonly Stopwatch _sinceEcho = Stopwatch.StartNew();
    private readonly Lock _gate = new();
    private TimeSpan _longestGap;
    private long _echoes;

    private Bystander(SessionPair pair, YamuxStream client, YamuxStream server)
    {
        _pair = pair;
        _echoing = EchoAsync(server);
        _sending = Task.Run(() => SendAsync(client));
    }

    /// <summary>How often what came back was what had been sent.</summary>
    public long Echoes => Interlocked.Read(ref _echoes);

    /// <summary>The longest time without an echo, the one that lasts included.</summary>
    public TimeSpan LongestGap
    {
        get
        {
            lock (_gate)
            {
                return _sinceEcho.Elapsed > _longestGap ? _sinceEcho.Elapsed : _longestGap;
            }
        }
    }

    public static async Task<Bystander> StartAsync()
    {
        var (first, second) = await Loopback.ConnectAsync();
        var pair = SessionPair.OverStreams(first, second, options => (options.TimeProvider, options.EnableKeepAlive) = (TimeProvider.System, true));
        var streams = await pair.OpenAsync(1);
        return new Bystander(pair, streams[0].Client, streams[0].Server);
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await _sending.Guarded();
        await _echoing.Guarded();
        await _pair.DisposeAsync();
        _over.Dispose();
    }

    private static async Task EchoAsync(YamuxStream stream)
    {
        await stream.Input.CopyToAsync(stream.Output);
        await stream.Output.CompleteAsync();
    }

    private async Task SendAsync(YamuxStream stream)
    {
        var bytes = new byte[1024];
        while (!_over.IsCancellationRequested)
        {
            RandomNumberGenerator.Fill(bytes);
            await stream.Output.WriteAsync(bytes).Guarded();
            var echo = await stream.Input.TakeAsync(bytes.Length);
            Assert.Equal(SHA256.HashData(bytes), SHA256.HashData(echo));
            Interlocked.Increment(ref _echoes);
            lock (_gate)
            {
                _longestGap = _sinceEcho.Elapsed > _longestGap ? _sinceEcho.Elapsed : _longestGap;
                _sinceEcho.Restart();
            }

            await Task.Delay(Pause);
        }

        await stream.Output.CompleteAsync();
        await stream.Input.ExpectEndAsync();
    }
}
