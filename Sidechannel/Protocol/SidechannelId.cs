using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using Grpc.Core;

namespace Sidechannel;

/// <summary>How a call says which sidechannel is its own.</summary>
internal static class SidechannelId
{
    public const string MetadataKey = "gitaly-sidechannel-id";

    /// <summary>A new one, of 63 random bits: who has not been told it does not find it. Gitaly's registry counts; its wire takes any that is not negative.</summary>
    public static long Create()
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        RandomNumberGenerator.Fill(bytes);
        return BinaryPrimitives.ReadInt64BigEndian(bytes) & long.MaxValue;
    }

    public static Metadata ToMetadata(long id) => new() { { MetadataKey, id.ToString(CultureInfo.InvariantCulture) } };

    public static bool IsIn(Metadata headers) => headers.Get(MetadataKey) is not null;

    /// <summary>The last value, if there are several, as in Gitaly. They come one by one from Go, and with commas from .NET, which is the same in HTTP.</summary>
    /// <exception cref="RpcException">There is none (<see cref="StatusCode.FailedPrecondition"/>), or it is no id (<see cref="StatusCode.InvalidArgument"/>).</exception>
    public static long Parse(Metadata headers)
    {
        var value = headers.GetValue(MetadataKey)
            ?? throw new RpcException(new Status(StatusCode.FailedPrecondition, $"the call has no {MetadataKey} in its metadata: its caller offers no sidechannel, as SidechannelRegistry.CallAsync does, or SidechannelWaiter.Metadata in the call's headers"));
        var last = value.AsSpan(value.LastIndexOf(',') + 1).Trim();
        return long.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            ? id
            : throw new RpcException(new Status(StatusCode.InvalidArgument, $"{MetadataKey} is \"{value}\"; it must be a decimal number from 0 to {long.MaxValue}"));
    }
}
