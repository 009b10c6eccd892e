using System.Diagnostics;
using Backchannel;
using Google.Protobuf;
using Grpc.Core;

namespace Benchmarks.Grpc;

/// <summary>What is called: by the client at the server, and by the server at the client.</summary>
internal sealed class LoadService : Load.LoadBase
{
    private const int BlockSize = 64 * 1024;

    /// <summary>What streams consist of, in either direction.</summary>
    public static Block Block { get; } = new() { Content = ByteString.CopyFrom(new byte[BlockSize]) };

    public override Task<Note> Echo(Note request, ServerCallContext context) => Task.FromResult(request);

    public override async Task Hold(Note request, IServerStreamWriter<Note> responseStream, ServerCallContext context)
    {
        await responseStream.WriteAsync(request);
        await Task.Delay(Timeout.Infinite, context.CancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public override async Task Download(Period request, IServerStreamWriter<Block> responseStream, ServerCallContext context)
    {
        var start = Stopwatch.GetTimestamp();
        do
        {
            await responseStream.WriteAsync(Block);
        }
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < request.Seconds);
    }

    public override async Task<Count> Upload(IAsyncStreamReader<Block> requestStream, ServerCallContext context) => new() { Bytes = await CountAsync(requestStream) };

    public override async Task Exchange(IAsyncStreamReader<Block> requestStream, IServerStreamWriter<Block> responseStream, ServerCallContext context)
    {
        var reading = CountAsync(requestStream);
        while (!reading.IsCompleted)
        {
            await responseStream.WriteAsync(Block);
        }

        await reading;
    }

    public override async Task<Rate> Measure(Assignment request, ServerCallContext context)
    {
        var pattern = CallPattern.Find(request.Pattern)
            ?? throw new RpcException(new Status(StatusCode.InvalidArgument, $"no pattern {request.Pattern}"));
        var load = new Caller(context.GetBackchannelPeer().Invoker);
        return new Rate { Value = await load.MeasureAsync(pattern, request.Seconds) };
    }

    /// <summary>Reads a stream to its end.</summary>
    public static async Task<long> CountAsync(IAsyncStreamReader<Block> stream)
    {
        long bytes = 0;
        while (await stream.MoveNext(CancellationToken.None))
        {
            bytes += stream.Current.Content.Length;
        }

        return bytes;
    }
}
