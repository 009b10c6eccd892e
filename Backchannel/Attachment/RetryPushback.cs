using System.Globalization;
using Grpc.Core;

namespace Backchannel;

/// <summary>gRPC's own word for when to come again: the trailer <c>grpc-retry-pushback-ms</c> (gRPC's A6, client retries).</summary>
internal static class RetryPushback
{
    private const string Key = "grpc-retry-pushback-ms";

    /// <summary>The trailers that say it.</summary>
    public static Metadata Trailers(TimeSpan retryAfter)
        => new() { { Key, ((long)Math.Ceiling(retryAfter.TotalMilliseconds)).ToString(CultureInfo.InvariantCulture) } };

    /// <summary>What the trailers say; null: nothing. What is negative, which in gRPC's own retries is never again, or is no number, says nothing.</summary>
    public static TimeSpan? Read(Metadata trailers)
        => long.TryParse(trailers.GetValue(Key), NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) && milliseconds <= int.MaxValue
            ? TimeSpan.FromMilliseconds(milliseconds)
            : null;
}
