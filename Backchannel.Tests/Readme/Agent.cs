using Backchannel;
using Elections;
using Grpc.Core;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

class Agent(Presence.PresenceClient server, BackchannelHost host, ILogger<Agent> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stopping)
    {
        for (var failures = 0; !stopping.IsCancellationRequested; failures++)
        {
            try
            {
                using var attached = server.Attach(new Hello(), cancellationToken: stopping);
                await foreach (var notice in attached.ResponseStream.ReadAllAsync(stopping))
                {
                    failures = 0;
                    log.LogInformation("Connected");                      // the server has us, and can call
                }
            }
            catch (RpcException lost)
            {
                log.LogInformation("Not connected: {Status}", stopping.IsCancellationRequested ? "stopping" : lost.Status);
            }

            var longest = TimeSpan.FromSeconds(Math.Min(30, Math.Pow(2, failures)));
            await Task.Delay(longest * Random.Shared.NextDouble(), stopping);
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);                          // lets go of the server, which calls no more
        await host.StopAsync(cancellationToken);                          // what it has called may finish
    }
}
