using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sidechannel;
using Xunit;

namespace Backchannel.Tests.Sidechannels;

/// <summary>A client that offers sidechannels, and serves transfers itself.</summary>
internal sealed class TransferClient : IAsyncDisposable
{
    private readonly GrpcChannel _channel;
    private readonly LoggerFactory _loggers;

    /// <param name="server">What to call.</param>
    /// <param name="handler">How to serve what the server calls.</param>
    /// <param name="plain">Without multiplexing.</param>
    /// <param name="time">The clock of the session.</param>
    /// <param name="configureChannel">Changes the channel's settings.</param>
    /// <param name="configureStreams">Serves the streams that the server opens, in the place of <see cref="Sidechannels"/>.</param>
    public TransferClient(
        TransferServer server, TransferHandler? handler = null, bool plain = false, TimeProvider? time = null,
        Action<GrpcChannelOptions>? configureChannel = null, Action<IConnectionBuilder>? configureStreams = null)
    {
        _loggers = new LoggerFactory([Log], new LoggerFilterOptions { MinLevel = LogLevel.Debug });
        Sidechannels = new SidechannelRegistry(_loggers.CreateLogger<SidechannelRegistry>());
        Host = BackchannelHost.Create(
            services =>
            {
                services.Configure<HostOptions>(host => host.ShutdownTimeout = Guard.BeyondLimit);
                services.AddLogging(logging => logging.AddProvider(Log).SetMinimumLevel(LogLevel.Debug));
                services.AddSingleton(handler ?? ((_, _) => throw new NotSupportedException("this client serves nothing")));
                services.AddGrpc();
            },
            endpoints => endpoints.MapGrpcService<TransfersService>(),
            options =>
            {
                options.DrainTimeout = Guard.BeyondLimit;
                options.Yamux.TimeProvider = time ?? TimeProvider.System;
                options.Yamux.EnableKeepAlive = time is null; // A clock that jumps leaves no time to answer.
                if (configureStreams is null)
                {
                    options.UseSidechannels(Sidechannels);
                }

                options.ConfigureStreams += configureStreams;
            });
        var transport = new SocketsHttpHandler { ConnectTimeout = Guard.BeyondLimit };
        var channelOptions = new GrpcChannelOptions { HttpHandler = plain ? transport : transport.UseBackchannel(Host), DisposeHttpClient = true };
        configureChannel?.Invoke(channelOptions);
        _channel = GrpcChannel.ForAddress(server.Address, channelOptions);
        Server = new Transfers.TransfersClient(_channel);
    }

    public TestLog Log { get; } = new();

    public BackchannelHost Host { get; }

    public SidechannelRegistry Sidechannels { get; }

    public Transfers.TransfersClient Server { get; }

    /// <summary>Makes a call with a sidechannel.</summary>
    /// <param name="callback">What to do with the sidechannel.</param>
    /// <param name="callToken">Cancels the call.</param>
    /// <param name="callbackToken">Cancels the callback.</param>
    public Task<Done> CallAsync(SidechannelCallback callback, CancellationToken callToken = default, CancellationToken callbackToken = default)
        => Sidechannels.CallAsync(headers => Server.RunAsync(new Job(), headers, cancellationToken: callToken), callback, callbackToken);

    /// <summary>Calls the server no more.</summary>
    public void CloseChannel() => _channel.Dispose();

    /// <summary>Closes the connection; nothing is left of it, and nothing looked like a bug.</summary>
    public async Task EndAsync()
    {
        await DisposeAsync();
        Assert.Equal(0, Sidechannels.Count);
        Assert.Equal(0, Host.ConnectionCount);
        Log.AssertNoErrors();
    }

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await Host.DisposeAsync().Guarded();
        _loggers.Dispose();
    }
}
