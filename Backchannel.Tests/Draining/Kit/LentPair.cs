using Backchannel.Tests.Authority;
using Backchannel.Tests.Kit;
using Microsoft.Extensions.Time.Testing;
using Xunit;
using Yamux;

namespace Backchannel.Tests.Draining.Kit;

/// <summary>A stream that is lent to an HTTP handler, which the test plays, and its other end.</summary>
internal sealed class LentPair : IAsyncDisposable
{
    /// <summary>How many bytes a GOAWAY has that says no more than it must.</summary>
    public const int GoAwaySize = 17;

    private readonly YamuxSession _client;
    private int _leavingCount;

    private LentPair(YamuxSession client, YamuxSession server, LentStreams streams)
    {
        _client = client;
        Server = server;
        Streams = streams;
        Streams.PeerLeaving += () => Interlocked.Increment(ref _leavingCount);
    }

    /// <summary>What a handler is sent that is to let go.</summary>
    public static byte[] OurGoAway => Http2Frames.Frame(Http2Frames.GoAway, 0, 0, [0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]);

    /// <summary>What a handler begins with, and its first request.</summary>
    public static byte[] Request => [.. Http2Frames.Opening, .. Http2Frames.Frame(Http2Frames.Headers, Http2Frames.EndHeaders, 1, [0x82])];

    /// <summary>What a server begins with.</summary>
    public static byte[] Settings => Http2Frames.Frame(Http2Frames.Settings, 0, 0, []);

    public YamuxSession Server { get; }

    public LentStreams Streams { get; }

    /// <summary>The handler's end.</summary>
    public LentStream Stream { get; private set; } = null!;

    /// <summary>The server's end.</summary>
    public YamuxStream Peer { get; private set; } = null!;

    /// <summary>How often the server was seen to leave.</summary>
    public int LeavingCount => Volatile.Read(ref _leavingCount);

    /// <param name="explain">Why the peer said nothing; by default it does not say.</param>
    /// <param name="time">By default a clock that stands still.</param>
    /// <param name="most">How many streams may be lent.</param>
    public static async Task<LentPair> CreateAsync(Func<YamuxException?, string>? explain = null, TimeProvider? time = null, int most = int.MaxValue)
    {
        var (near, far) = DuplexPipe.CreatePair();
        var pair = new LentPair(
            YamuxSession.Create(near, YamuxRole.Client, new YamuxOptions { EnableKeepAlive = false }),
            YamuxSession.Create(far, YamuxRole.Server, new YamuxOptions { EnableKeepAlive = false }),
            new LentStreams(explain ?? (_ => ""), time ?? new FakeTimeProvider(), most: most));
        (pair.Stream, pair.Peer) = await pair.LendAsync();
        return pair;
    }

    /// <summary>Lends another stream.</summary>
    public async Task<(LentStream Stream, YamuxStream Peer)> LendAsync()
    {
        var stream = Streams.TryLend(await _client.OpenStreamAsync().Guarded())!;
        return (stream, (await Server.AcceptStreamAsync().Guarded())!);
    }

    /// <summary>The handler has sent its first request, and seen that it speaks to a server.</summary>
    public Task BeginAsync() => BeginAsync(Stream, Peer);

    /// <inheritdoc cref="BeginAsync()"/>
    public static async Task BeginAsync(LentStream stream, YamuxStream peer)
    {
        await stream.WriteAsync(Request).Guarded();
        await peer.Output.WriteAsync(Settings).Guarded();
        await stream.ReadExactlyAsync(new byte[Settings.Length]).Guarded();
    }

    /// <summary>Reads so many bytes, and sees that nothing more comes until the handler, which has heard GOAWAY, gives the stream back.</summary>
    public async Task<byte[]> ReadToEndAsync(int count, int size = 1000)
    {
        var read = new MemoryStream();
        var buffer = new byte[size];
        while (read.Length < count)
        {
            read.Write(buffer, 0, await Stream.ReadAsync(buffer).Guarded());
        }

        var end = Stream.ReadAsync(buffer).AsTask();
        Assert.False(end.IsCompleted);
        await Stream.DisposeAsync();
        try
        {
            Assert.Equal(0, await end.Guarded());
        }
        catch (YamuxException gone) when (gone.ErrorCode == YamuxErrorCode.StreamAborted)
        {
            // It was given back before the peer's FIN was seen.
        }

        return read.ToArray();
    }

    public async ValueTask DisposeAsync()
    {
        await Stream.DisposeAsync();
        await Server.DisposeAsync();
        await _client.DisposeAsync();
    }
}
