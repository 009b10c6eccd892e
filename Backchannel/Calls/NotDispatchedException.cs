using Grpc.Core;

namespace Backchannel;

/// <summary>A call has not reached the peer, and may be made again without being made twice.</summary>
internal sealed class NotDispatchedException : IOException
{
    public NotDispatchedException(string message, Exception? cause = null)
        : base(message, cause)
    {
    }

    /// <param name="status">What the call ends with, as it was refused.</param>
    public NotDispatchedException(Status status)
        : base(status.Detail)
        => Status = status;

    /// <summary>What the call ends with; null: Unavailable, with the message in it.</summary>
    public Status? Status { get; }
}
