using System.Diagnostics.Tracing;
using Microsoft.Diagnostics.NETCore.Client;

namespace Benchmarks.Profile;

/// <summary>Records where the threads of another .NET process are, a thousand times a second, in a file.</summary>
internal sealed class CpuTrace : IAsyncDisposable
{
    private readonly EventPipeSession _session;
    private readonly FileStream _file;
    private readonly Task _copying;

    private CpuTrace(EventPipeSession session, FileStream file)
    {
        _session = session;
        _file = file;
        _copying = session.EventStream.CopyToAsync(file);
    }

    /// <exception cref="ServerNotAvailableException">There is no such process, or it is no .NET.</exception>
    public static async Task<CpuTrace> StartAsync(int processId, FileStream file, CancellationToken cancellationToken)
    {
        EventPipeProvider[] providers = [new("Microsoft-DotNETCore-SampleProfiler", EventLevel.Informational)];
        return new CpuTrace(await new DiagnosticsClient(processId).StartEventPipeSessionAsync(providers, requestRundown: true, token: cancellationToken), file);
    }

    /// <summary>Ends the recording. The process then tells the names of its methods, which takes a while.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _session.StopAsync(cancellationToken);
        await _copying.WaitAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        _session.Dispose();
        await _copying.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _file.DisposeAsync();
    }
}
