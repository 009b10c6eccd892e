using System.Security.Cryptography;
using Google.Protobuf;
using Grpc.Core;
using LogTail.Protocol;
using Sidechannel;

namespace LogTail;

/// <summary>The agent's own service: what the server calls. Gives the files that are named in one folder.</summary>
internal sealed class FileService(AgentFolder folder) : Protocol.Agent.AgentBase
{
    private const int PieceSize = 64 * 1024;

    /// <summary>Whether it names a file in the folder itself.</summary>
    public static bool IsName(string name) => name.Length > 0 && name == Path.GetFileName(name);

    public override Task<FileDescription> Describe(FetchRequest request, ServerCallContext context)
    {
        using var file = Open(request.File);
        return Task.FromResult(new FileDescription { Bytes = file.Length });
    }

    public override async Task<FetchReply> Fetch(FetchRequest request, ServerCallContext context)
    {
        await using var file = Open(request.File);
        await using var channel = await context.OpenSidechannelAsync();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var reply = new FetchReply();
        var piece = new byte[PieceSize];
        while (await file.ReadAsync(piece, context.CancellationToken) is > 0 and var count)
        {
            hash.AppendData(piece, 0, count);
            await channel.WriteAsync(piece.AsMemory(0, count), context.CancellationToken);
            reply.Bytes += count;
        }

        reply.Sha256 = ByteString.CopyFrom(hash.GetHashAndReset());
        return reply;
    }

    public override Task<PingReply> Ping(PingRequest request, ServerCallContext context) => Task.FromResult(new PingReply());

    private FileStream Open(string name)
    {
        if (!IsName(name))
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, $"\"{name}\" is no name of a file: it must have no folder in it"));
        }

        try
        {
            return new FileStream(Path.Combine(folder.Path, name), FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0, useAsync: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new RpcException(new Status(StatusCode.NotFound, $"the agent has no file \"{name}\""));
        }
    }
}
