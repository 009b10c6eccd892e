using Grpc.Core;

namespace Backchannel;

/// <summary>
/// Whether a call that has failed may have reached its handler: the trailer <c>backchannel-dispatch</c> says <c>none</c> or <c>maybe</c>. What has not may be made again
/// by anybody without being done twice. Only this end says so: a trailer that comes with an answer may be that of another call, whose failure a handler has passed on.
/// </summary>
internal static class CallDispatch
{
    public const string Key = "backchannel-dispatch";

    public const string None = "none";

    private const string Maybe = "maybe";

    private const long RefusedStream = 7; // RFC 9113, section 8.7: "the stream is being closed prior to any processing having occurred".

    /// <summary>Whether the call was certainly not dispatched.</summary>
    public static bool IsNone(RpcException failure) => failure.StatusCode == StatusCode.Unavailable && failure.Trailers.GetValue(Key) == None;

    /// <summary>A failure of this end's, of a call that was not dispatched.</summary>
    public static RpcException NotDispatched(StatusCode status, string detail) => new(new Status(status, detail), new Metadata { { Key, None } });

    /// <summary>Whether an exception tells that the request never left, or was refused unseen.</summary>
    public static bool NeverLeft(Exception? failure) => FindProof(failure) is not null;

    /// <summary>The failure, with the trailer, if it is one that needs it: Unavailable, or of a call that never left, which the HTTP client may call Internal.</summary>
    public static RpcException Explain(RpcException failure)
    {
        var status = Explain(failure.Status);
        var trailers = Explain(failure.Trailers, failure.Status);
        return !status.Equals(failure.Status) ? new RpcException(status, trailers)
            : ReferenceEquals(trailers, failure.Trailers) ? failure
            : new RpcException(status, trailers, failure.Message);
    }

    /// <summary>The same for the trailers of a call that has ended with this status.</summary>
    public static Metadata Explain(Metadata trailers, Status status)
    {
        var neverLeft = NeverLeft(status.DebugException);
        if (!neverLeft && status.StatusCode != StatusCode.Unavailable && trailers.Get(Key) is null)
        {
            return trailers;
        }

        var all = new Metadata();
        foreach (var trailer in trailers)
        {
            if (trailer.Key != Key)
            {
                all.Add(trailer);
            }
        }

        if (neverLeft || status.StatusCode == StatusCode.Unavailable)
        {
            all.Add(Key, neverLeft ? None : Maybe);
        }

        return all;
    }

    /// <summary>The same for the status.</summary>
    public static Status Explain(Status status) => FindProof(status.DebugException) switch
    {
        NotDispatchedException { Status: { } refusal } => new Status(refusal.StatusCode, refusal.Detail, status.DebugException),
        NotDispatchedException => Unavailable(status),
        HttpProtocolException when status.StatusCode == StatusCode.Internal => Unavailable(status),
        _ => status,
    };

    private static Exception? FindProof(Exception? failure)
    {
        for (var cause = failure; cause is not null; cause = cause.InnerException)
        {
            if (cause is NotDispatchedException or HttpProtocolException { ErrorCode: RefusedStream })
            {
                return cause;
            }
        }

        return null;
    }

    private static Status Unavailable(Status status) => new(StatusCode.Unavailable, status.Detail, status.DebugException);
}
