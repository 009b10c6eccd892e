using Elections;
using Grpc.Core;
using Microsoft.Extensions.Hosting;

class Attachments(IHostApplicationLifetime lifetime) : Presence.PresenceBase
{
    public override async Task Attach(Hello hello, IServerStreamWriter<Notice> notices, ServerCallContext context)
    {
        await notices.WriteAsync(new Notice());                           // the client hears that it is there
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
        await Task.Delay(Timeout.Infinite, end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
