using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.DependencyInjection;
using Sidechannel;

namespace Backchannel.Tests.Docs;

/// <summary>What docs/sidechannel.md shows.</summary>
internal static class SidechannelSnippets
{
    public static async Task<FetchReply> FetchAsync(string address, FetchRequest request, Stream file, CancellationToken cancellationToken)
    {
        var sidechannels = new SidechannelRegistry();
        await using var host = BackchannelHost.Create(
            services => services.AddGrpc(), _ => { }, options => options.UseSidechannels(sidechannels));
        using var channel = GrpcChannel.ForAddress(
            address, new GrpcChannelOptions { HttpHandler = new SocketsHttpHandler().UseBackchannel(host), DisposeHttpClient = true });
        var client = new Files.FilesClient(channel);
        var reply = await sidechannels.CallAsync(
            headers => client.FetchAsync(request, headers, cancellationToken: cancellationToken),
            (sidechannel, ct) => sidechannel.CopyToAsync(file, ct),
            cancellationToken);
        return reply;
    }

    public static async Task AskAsync(SidechannelStream channel, Stream question, Stream answer, CancellationToken ct)
    {
        var reading = channel.CopyToAsync(answer, ct);   // in the callback, and much the same in the handler
        await question.CopyToAsync(channel, ct);
        await channel.CompleteWritesAsync(ct);           // the other end reads 0 now, and may still write
        await reading;
    }

    internal sealed class FilesService(Stream file) : Files.FilesBase
    {
        public override async Task<FetchReply> Fetch(FetchRequest request, ServerCallContext context)
        {
            await using var channel = await context.OpenSidechannelAsync();
            await file.CopyToAsync(channel, context.CancellationToken);
            return new FetchReply();
        }
    }

    internal sealed class Proxy(SidechannelRegistry onwards, Files.FilesClient far) : Files.FilesBase
    {
        public override Task<FetchReply> Fetch(FetchRequest request, ServerCallContext context) => onwards.ProxyAsync(
            context, headers => far.FetchAsync(request, headers, cancellationToken: context.CancellationToken));
    }
}
