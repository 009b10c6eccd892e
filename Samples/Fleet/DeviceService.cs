using Fleet.Grpc;
using Grpc.Core;

namespace Fleet;

/// <summary>A device's service.</summary>
internal sealed class DeviceService(DeviceState state) : Device.DeviceBase
{
    public override Task<RestartReply> Restart(RestartRequest request, ServerCallContext context)
        => Task.FromResult(new RestartReply { Restarts = state.Restart() });

    public override async Task Watch(WatchRequest request, IServerStreamWriter<Reading> responseStream, ServerCallContext context)
    {
        for (var reading = 20.0; ; reading += 0.5)
        {
            await responseStream.WriteAsync(new Reading { Celsius = reading }, context.CancellationToken);
            await Task.Delay(TimeSpan.FromMilliseconds(50), context.CancellationToken);
        }
    }
}
