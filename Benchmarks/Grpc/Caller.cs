using System.Diagnostics;
using Grpc.Core;

namespace Benchmarks.Grpc;

/// <summary>Makes the calls and counts them.</summary>
internal sealed class Caller(CallInvoker invoker)
{
    private const double BytesPerMebibyte = 1024 * 1024;

    // As long as a small message is: an id, a name, a hash.
    private static readonly Note Note = new() { Text = new string('x', 100) };

    private readonly Load.LoadClient _client = new(invoker);

    /// <summary>Runs a pattern for about <paramref name="seconds"/>.</summary>
    /// <returns>Calls or MiB per second.</returns>
    public Task<double> MeasureAsync(CallPattern pattern, double seconds) => pattern switch
    {
        _ when pattern == CallPattern.ServerStream => DownloadAsync(seconds),
        _ when pattern == CallPattern.ClientStream => UploadAsync(TimeSpan.FromSeconds(seconds)),
        _ when pattern == CallPattern.Duplex => ExchangeAsync(TimeSpan.FromSeconds(seconds)),
        _ => CallAsync(pattern.Concurrency, TimeSpan.FromSeconds(seconds)),
    };

    private async Task<double> CallAsync(int concurrency, TimeSpan duration)
    {
        var start = Stopwatch.GetTimestamp();
        var callers = Enumerable.Range(0, concurrency).Select(_ => Task.Run(() => CallUntilAsync(start, duration))).ToArray();
        var counts = await Task.WhenAll(callers);
        return counts.Sum() / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private async Task<long> CallUntilAsync(long start, TimeSpan duration)
    {
        long count = 0;
        do
        {
            await _client.EchoAsync(Note);
            count++;
        }
        while (Stopwatch.GetElapsedTime(start) < duration);
        return count;
    }

    private async Task<double> DownloadAsync(double seconds)
    {
        var start = Stopwatch.GetTimestamp();
        using var call = _client.Download(new Period { Seconds = seconds });
        return Rate(await LoadService.CountAsync(call.ResponseStream), start);
    }

    private async Task<double> UploadAsync(TimeSpan duration)
    {
        var start = Stopwatch.GetTimestamp();
        using var call = _client.Upload();
        await WriteUntilAsync(call.RequestStream, start, duration);
        return Rate((await call).Bytes, start);
    }

    // What comes back: both directions are as busy.
    private async Task<double> ExchangeAsync(TimeSpan duration)
    {
        var start = Stopwatch.GetTimestamp();
        using var call = _client.Exchange();
        var reading = LoadService.CountAsync(call.ResponseStream);
        await WriteUntilAsync(call.RequestStream, start, duration);
        return Rate(await reading, start);
    }

    private static async Task WriteUntilAsync(IClientStreamWriter<Block> stream, long start, TimeSpan duration)
    {
        do
        {
            await stream.WriteAsync(LoadService.Block);
        }
        while (Stopwatch.GetElapsedTime(start) < duration);
        await stream.CompleteAsync();
    }

    private static double Rate(long bytes, long start) => bytes / BytesPerMebibyte / Stopwatch.GetElapsedTime(start).TotalSeconds;
}
