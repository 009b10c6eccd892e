using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Backchannel.Tests.Kit;
using Backchannel.Tests.Links.Kit;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Xunit;
using Yamux;

namespace Backchannel.Tests.Transports.Kit;

/// <summary>
/// A session over a real connection of some kind, and the other end of that: its bytes, until a test makes a session of it too. All on a clock that the test moves, or
/// the slow link between the two.
/// </summary>
internal sealed class TransportPair : IAsyncDisposable
{
    // Of TCP over most networks. Loopback's are of 64 KiB, so that nothing is ever under way in part.
    private const int SegmentSize = 1400;

    private readonly SessionSettings _settings;
    private readonly TestCertificates? _certificates;
    private readonly Socket _farSocket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveBufferSize = 8 * 1024 };
    private ITransportServer? _server;

    private TransportPair(TransportKind kind, YamuxRole role, Action<YamuxOptions>? configure)
    {
        var options = new YamuxOptions { TimeProvider = Time };
        configure?.Invoke(options);
        _settings = new SessionSettings(role, options, Log.CreateLogger("near"));
        _certificates = kind is TransportKind.Tls or TransportKind.KestrelTls ? TestCertificates.Create() : null;
    }

    /// <summary>Each kind of transport, with the session in either role.</summary>
    public static TheoryData<TransportKind, YamuxRole> Cases
        => [.. from kind in Enum.GetValues<TransportKind>() from role in Enum.GetValues<YamuxRole>() select (kind, role)];

    public FakeTimeProvider Time { get; } = new();

    /// <summary>What the session reports.</summary>
    public TestLog Log { get; } = new();

    /// <summary>The session that is tested.</summary>
    public YamuxSession Near { get; private set; } = null!;

    /// <summary>The socket under it.</summary>
    public Socket NearSocket { get; private set; } = null!;

    /// <summary>The bytes of the other end.</summary>
    public Stream Far { get; private set; } = null!;

    /// <summary>The link, of a pair that has one.</summary>
    public SlowLink Link { get; private set; } = null!;

    /// <summary>The id of the first stream that the session opens.</summary>
    public uint FirstId => _settings.Role == YamuxRole.Client ? 1u : 2u;

    /// <summary>A pair whose ends see each other.</summary>
    public static async Task<TransportPair> ConnectAsync(TransportKind kind, YamuxRole role, Action<YamuxOptions>? configure = null)
    {
        var pair = new TransportPair(kind, role, configure);
        await pair.StartAsync(kind);
        await pair.ConnectAsync(pair._server!.Address).Guarded();
        return pair;
    }

    /// <summary>A pair with a link between them, which is fast still. Everything has to be carried.</summary>
    public static async Task<TransportPair> ConnectOverLinkAsync(TransportKind kind, YamuxRole role, TimeSpan step, Action<YamuxOptions>? configure = null)
    {
        var pair = new TransportPair(kind, role, configure);
        await pair.StartAsync(kind);
        pair.Link = new SlowLink(pair.Time, () => pair._server!.Address, SegmentSize) { Step = step, BufferSize = 8 * 1024 };
        pair.Link.Watch(pair._farSocket);
        await pair.Link.CarryAsync(pair.ConnectAsync(pair.Link.Address));
        pair.Link.Watch(pair.NearSocket);
        return pair;
    }

    /// <summary>Makes a session of the other end.</summary>
    public YamuxSession StartFar(Action<YamuxOptions>? configure = null)
    {
        var options = new YamuxOptions { TimeProvider = Time };
        configure?.Invoke(options);
        return YamuxSession.Create(
            Far, _settings.Role == YamuxRole.Client ? YamuxRole.Server : YamuxRole.Client, options, Log.CreateLogger("far"));
    }

    /// <summary>Moves the clock until this has ended. For what the other end has no part in, since that gets no time to answer.</summary>
    public Task AdvanceUntilAsync(Task ended) => Guard.Until(
        () =>
        {
            Time.Advance(TimeSpan.FromSeconds(1));
            return ended.IsCompleted;
        },
        "it ends in time");

    /// <summary>The socket of the session is closed, whatever the other end does, and that sees it without closing its own.</summary>
    public async Task ExpectSocketClosedAsync()
    {
        await Guard.Until(() => NearSocket.SafeHandle.IsClosed, "the socket is closed");
        try
        {
            await Far.CopyToAsync(Stream.Null).Guarded();
        }
        catch (IOException)
        {
            // Reset, which is an end too.
        }
    }

    public void AssertNoWarnings() => Assert.DoesNotContain(Log.Lines, line => line.Level >= LogLevel.Warning);

    public async ValueTask DisposeAsync()
    {
        Near.Abort();
        await Far.DisposeAsync();
        Link?.Dispose();
        await _server!.DisposeAsync();
        _farSocket.Dispose();
        _certificates?.Dispose();
    }

    private async Task StartAsync(TransportKind kind)
        => _server = kind is TransportKind.Kestrel or TransportKind.KestrelTls
            ? await KestrelServer.StartAsync(_settings, _certificates?.Server)
            : new StreamServer(_settings, _certificates?.Server);

    private async Task ConnectAsync(IPEndPoint address)
    {
        await _farSocket.ConnectAsync(address);
        Far = new NetworkStream(_farSocket, ownsSocket: true);
        if (_certificates is not null)
        {
            _farSocket.ConfigureForYamux();
            var secure = new SslStream(Far);
            await secure.AuthenticateAsClientAsync(_certificates.NewClientOptions());
            Far = secure;
        }

        (Near, NearSocket) = await _server!.Connected;
    }
}
