using System.Diagnostics;
using Backchannel;
using Google.Protobuf;
using Grpc.Core;

namespace Benchmarks.Grpc;

/// <summary>What is called: by the client at the server, and by the server at the client.</summary>
internal sealed class LoadService : Load.LoadBase
{
    private const int BlockSize = 64 * 1024;

    private static readonly Block Block = new() { Content = ByteString.CopyFrom(new byte[BlockSize]) };

    public override Task<Note> Echo(Note request, ServerCallContext context) => Task.FromResult(request);

    public override async Task Download(Period request, IServerStreamWriter<Block> responseStream, ServerCallContext context)
    {
        var start = Stopwatch.GetTimestamp();
        do
        {
            await responseStream.WriteAsync(Block);
        }
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < request.Seconds);
    }

    public override async Task<Rate> Measure(Assignment request, ServerCallContext context)
    {
        var pattern = CallPattern.Find(request.Pattern)
            ?? throw new RpcException(new Status(StatusCode.InvalidArgument, $"no pattern {request.Pattern}"));
        var load = new Caller(context.GetBackchannelPeer().Invoker);
        return new Rate { Value = await load.MeasureAsync(pattern, request.Seconds) };
    }
}
