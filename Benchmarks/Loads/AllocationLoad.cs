using Benchmarks.Wire;

namespace Benchmarks.Loads;

/// <summary>Data frames of 1 KiB, from one end to the other in this process: what both allocate for each, once all is warm.</summary>
internal sealed class AllocationLoad(string id) : ILoad
{
    private const int FrameLength = 1024;
    private const int WarmUpFrames = 1_000_000;
    private const int Frames = 1_000_000;
    private const int QuickFrames = 100_000;

    public string Id => id;

    public bool NeedsServer => false;

    public async Task<IReadOnlyList<Figure>> RunAsync(LoadTarget target, LoadSettings settings)
    {
        var perFrame = await InProcess.MeasureAsync(target, async client =>
        {
            await using var stream = await client.OpenAsync();
            return settings.Quick ? await MeasureAsync(stream, QuickFrames, QuickFrames) : await MeasureAsync(stream, WarmUpFrames, Frames);
        });
        return [new Figure(id, perFrame, "B")];
    }

    private static async Task<double> MeasureAsync(WireStream stream, int warmUp, int frames)
    {
        await stream.WriteAsync(WireCommand.Header(WireCommand.Send, (long)FrameLength * (warmUp + frames)));
        await SendAsync(stream, warmUp);
        var before = GC.GetTotalAllocatedBytes(precise: true);
        await SendAsync(stream, frames);
        await stream.ReadExactlyAsync(new byte[sizeof(long)]);

        // The runtime itself allocates a little now and then: what is less than one object in a thousand frames is nothing.
        return Math.Round((GC.GetTotalAllocatedBytes(precise: true) - before) / (double)frames, 1);
    }

    private static async Task SendAsync(WireStream stream, int frames)
    {
        var frame = new byte[FrameLength];
        for (var i = 0; i < frames; i++)
        {
            await stream.WriteAsync(frame);
        }
    }
}
