using System.Net;
using System.Net.Sockets;
using Backchannel;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Interop.Tests.Proto;
using Interop.Tests.Sidechannel;
using Interop.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Sidechannel;

namespace Interop.Tests.Calls;

/// <summary>Our client in Praefect's place, with services of its own, and in Workhorse's, with sidechannels; or a plain one.</summary>
internal sealed class CSharpClient : IAsyncDisposable, ICallerDirectory
{
    private const string UnixScheme = "unix:";

    private readonly ErrorLog _errors = new();
    private readonly BackchannelHost? _host;
    private readonly GrpcChannel _channel;

    /// <param name="address">HOST:PORT, or the path of a Unix socket behind <c>unix:</c>.</param>
    /// <param name="certificates">Those of the test, if there is TLS.</param>
    /// <param name="plain">Whether it knows nothing of backchannels.</param>
    /// <param name="number">By which its votes are told from others.</param>
    /// <param name="token">The secret of the tokens that its calls carry.</param>
    /// <param name="hasCertificate">Whether it has a certificate of its own, if there is TLS.</param>
    public CSharpClient(
        object address, TestCertificates? certificates = null, bool plain = false, int number = 0, string? token = null, bool hasCertificate = true)
    {
        var handler = new SocketsHttpHandler();
        var authority = $"{address}";
        if (authority.StartsWith(UnixScheme, StringComparison.Ordinal))
        {
            var endPoint = new UnixDomainSocketEndPoint(authority[UnixScheme.Length..]);
            handler.ConnectCallback = (_, cancellationToken) => ConnectAsync(endPoint, cancellationToken);
            authority = "localhost";
        }

        if (certificates is not null)
        {
            handler.SslOptions.CertificateChainPolicy = certificates.Trust();
            handler.SslOptions.ClientCertificates = hasCertificate ? [certificates.Client] : null;
        }

        if (!plain)
        {
            _host = BackchannelHost.Create(
                services =>
                {
                    services.AddLogging(logging => logging.ClearProviders().AddProvider(_errors));
                    services.AddGrpc(options => options.EnableDetailedErrors = true);
                    services.AddSingleton(Log);
                    services.AddSingleton<ICallerDirectory>(this);
                    services.AddSingleton(new VoterNumber(number));
                    services.AddSingleton<ITransfers>(new TransferHandler());
                },
                endpoints =>
                {
                    endpoints.MapGrpcService<FarEndService>();
                    endpoints.MapGrpcService<NumberedVoter>();
                },
                options => options.UseSidechannels(Sidechannels));
        }

        var scheme = certificates is null ? "http" : "https";
        _channel = GrpcChannel.ForAddress($"{scheme}://{authority}", new GrpcChannelOptions { HttpHandler = _host is null ? handler : handler.UseBackchannel(_host), DisposeHttpClient = true });
        Server = new FarEnd.FarEndClient(token is null ? _channel.CreateCallInvoker() : _channel.Intercept(new GitalyTokenClientInterceptor(token)));
        Voting = new RefTransaction.RefTransactionClient(_channel);
    }

    public CallLog Log { get; } = new();

    public SidechannelRegistry Sidechannels { get; } = new();

    /// <summary>How many connections there are to the server.</summary>
    public int ConnectionCount => _host?.ConnectionCount ?? 0;

    public FarEnd.FarEndClient Server { get; }

    public RefTransaction.RefTransactionClient Voting { get; }

    public FarEnd.FarEndClient CallerOf(ServerCallContext context) => Server;

    public Identity Identify(ServerCallContext context) => new();

    /// <summary>Closes the connection; there must have been no error.</summary>
    public async Task EndAsync()
    {
        Assert.Equal(0, Sidechannels.Count);
        await DisposeAsync().Guarded();
        Assert.Equal("", string.Join('\n', _errors.Entries));
    }

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        if (_host is not null)
        {
            await _host.DisposeAsync();
        }
    }

    private static async ValueTask<Stream> ConnectAsync(EndPoint endPoint, CancellationToken cancellationToken)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(endPoint, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
