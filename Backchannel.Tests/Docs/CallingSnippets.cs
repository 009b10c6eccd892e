using Backchannel;
using Fleet;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Backchannel.Tests.Docs;

/// <summary>What docs/calling.md shows.</summary>
internal static class CallingSnippets
{
    public static void Map(WebApplication app)
    {
        app.MapPost("/devices/{name}/restart", async (string name, IBackchannelPeers peers, CancellationToken cancellationToken) =>
        {
            try
            {
                var device = peers.GetClient<Device.DeviceClient>(name);
                return Results.Ok(await device.RestartAsync(new RestartRequest(), deadline: DateTime.UtcNow.AddSeconds(5), cancellationToken: cancellationToken));
            }
            catch (RpcException failure) when (failure.StatusCode == StatusCode.Unavailable)
            {
                return Results.Problem(failure.Status.Detail, statusCode: StatusCodes.Status503ServiceUnavailable);
            }
        });
    }

    public static Device.DeviceClient Wait(IBackchannelPeers peers, string name)
    {
        var device = peers.GetClient<Device.DeviceClient>(name, new PeerCallOptions { WaitForReady = true, Timeout = TimeSpan.FromMinutes(1) });

        return device;
    }

    public static async Task<RestartReply?> TryAsync(Device.DeviceClient device, CancellationToken cancellationToken)
    {
        try
        {
            return await device.RestartAsync(new RestartRequest(), cancellationToken: cancellationToken);
        }
        catch (RpcException failure) when (failure.Trailers.GetValue("backchannel-dispatch") == "none")
        {
            return null;                                                      // the device has not restarted, and may be asked again
        }
    }

    public static void AddInterceptor(WebApplicationBuilder builder)
    {
        builder.Services.AddBackchannel().AddPeerInterceptor<AuditInterceptor>();
    }

    public static void AddObserver(WebApplicationBuilder builder)
    {
        builder.Services.AddBackchannel().AddPeerObserver<DeviceDirectory>();
    }

    public static async Task WatchAsync(IBackchannelPeers peers, Dictionary<long, string> present, CancellationToken cancellationToken)
    {
        await foreach (var change in peers.WatchAsync(cancellationToken))
        {
            _ = change.Kind == PeerChangeKind.Connected ? present.TryAdd(change.Location.Attachment, change.Name) : present.Remove(change.Location.Attachment);
        }
    }

    public static async Task KickAsync(IBackchannelPeers peers, CancellationToken cancellationToken)
    {
        if (peers.TryGetPeer("device-1", out var peer))
        {
            await peer.DisconnectAsync("its firmware is too old", retryAfter: TimeSpan.FromHours(1), cancellationToken);
        }
    }
}

class AuditInterceptor(ILogger<AuditInterceptor> logger) : Interceptor
{
    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
    {
        if (context.TryGetCalledPeer(out var peer))
        {
            logger.LogInformation("{Method} of {Name}, peer {Id}", context.Method.FullName, peer.Name, peer.Id);
        }

        return continuation(request, context);
    }
}

class DeviceDirectory(ILogger<DeviceDirectory> logger) : IBackchannelPeerObserver
{
    public ValueTask OnConnectedAsync(BackchannelPeer peer, CancellationToken cancellationToken)
    {
        logger.LogInformation("{Name} has come, from {RemoteEndPoint}", peer.Name, peer.RemoteEndPoint);
        return default;
    }

    public ValueTask OnDisconnectedAsync(BackchannelPeer peer, PeerDisconnectReason reason, CancellationToken cancellationToken)
    {
        logger.LogInformation("{Name} has gone: {Reason}", peer.Name, reason);
        return default;
    }
}
