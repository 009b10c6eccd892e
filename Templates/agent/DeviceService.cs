using Devices.V1;
using Grpc.Core;

namespace BackchannelAgent1;

/// <summary>What the server calls.</summary>
internal sealed class DeviceService(DeviceState state, ILogger<DeviceService> logger) : Device.DeviceBase
{
    public override Task<RestartReply> Restart(RestartRequest request, ServerCallContext context)
    {
        var restarts = state.Restart();
        logger.LogInformation("Restarted, {Restarts} in all", restarts);
        return Task.FromResult(new RestartReply { Restarts = restarts });
    }
}
