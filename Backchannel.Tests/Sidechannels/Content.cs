using System.Security.Cryptography;
using Backchannel.Tests.Grpc;
using Google.Protobuf;
using Grpc.Core;
using Sidechannel;

namespace Backchannel.Tests.Sidechannels;

/// <summary>Bytes that nobody can mistake, and what came of them.</summary>
internal static class Content
{
    public static byte[] Bytes(int size)
    {
        var bytes = new byte[size];
        new Random(size).NextBytes(bytes);
        return bytes;
    }

    /// <summary>A handler that opens the sidechannel and reads it to the end.</summary>
    public static async Task<Done> ReceiveAsync(Job job, ServerCallContext context)
    {
        await using var channel = await context.OpenSidechannelAsync();
        return await DigestAsync(channel, context.CancellationToken);
    }

    /// <summary>Reads to the end.</summary>
    public static async Task<Done> DigestAsync(Stream stream, CancellationToken cancellationToken = default)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[50_000];
        var done = new Done();
        while (await stream.ReadAsync(buffer, cancellationToken) is > 0 and var count)
        {
            hash.AppendData(buffer, 0, count);
            done.Size += count;
        }

        done.Digest = ByteString.CopyFrom(hash.GetHashAndReset());
        return done;
    }

    public static Done Digest(byte[] bytes) => new() { Size = bytes.Length, Digest = ByteString.CopyFrom(SHA256.HashData(bytes)) };
}
