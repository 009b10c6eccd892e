using Backchannel.Tests.Kit;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Backchannel.Tests.Samples;

/// <summary>A client whose votes and answers are bytes: it sees what the server changes.</summary>
internal sealed class RawVoter : IAsyncDisposable
{
    private static readonly Marshaller<byte[]> Bytes = Marshallers.Create(bytes => bytes, bytes => bytes);

    private readonly BackchannelHost _host;
    private readonly GrpcChannel _channel;

    public RawVoter(string server, Func<HttpResponse, Task> answer, bool plain = false)
    {
        _host = BackchannelHost.Create(_ => { }, endpoints => endpoints.MapPost("/gitaly.RefTransaction/VoteTransaction", async http =>
        {
            using var request = new MemoryStream();
            await http.Request.Body.CopyToAsync(request);
            LastRequest = request.ToArray()[5..]; // Behind gRPC's prefix.
            http.Response.ContentType = "application/grpc";
            await answer(http.Response);
        }));
        var handler = new SocketsHttpHandler();
        _channel = GrpcChannel.ForAddress(server, new GrpcChannelOptions { HttpHandler = plain ? handler : handler.UseBackchannel(_host), DisposeHttpClient = true });
    }

    public byte[]? LastRequest { get; private set; }

    public Task<byte[]> VoteAsync(byte[] vote) => CallAsync("gitaly.RefTransaction", "VoteTransaction", vote);

    public Task<byte[]> CallAsync(string service, string method, byte[] request)
        => _channel.CreateCallInvoker()
            .AsyncUnaryCall(new Method<byte[], byte[]>(MethodType.Unary, service, method, Bytes, Bytes), null, default, request)
            .ResponseAsync.Guarded();

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await _host.DisposeAsync().Guarded();
    }
}
