using System.Text;
using Backchannel.V1;
using Grpc.Core;

namespace Backchannel;

/// <summary>Looks at what an agent says of itself before anything is kept of it.</summary>
internal static class AttachRequestCheck
{
    public const int MaxLabels = 64;

    // UTF-8 of all keys and values together.
    public const int MaxLabelBytes = 16 * 1024;

    public const int MaxTextBytes = 128;

    /// <exception cref="RpcException"><see cref="StatusCode.InvalidArgument"/>: something is out of its bounds, which the message names.</exception>
    public static void ThrowIfInvalid(AttachRequest request)
    {
        if (request.Name.Length > 0 && !PeerName.IsValid(request.Name))
        {
            throw Invalid($"name {PeerName.Shown(request.Name)}: a name is {PeerName.Rule}");
        }

        CheckText("instance", request.Instance);
        CheckText("agent_version", request.AgentVersion);
        if (request.Labels.Count > MaxLabels)
        {
            throw Invalid(FormattableString.Invariant($"{request.Labels.Count} labels: there may be {MaxLabels}"));
        }

        long bytes = 0;
        foreach (var (key, value) in request.Labels)
        {
            bytes += Encoding.UTF8.GetByteCount(key) + (long)Encoding.UTF8.GetByteCount(value);
        }

        if (bytes > MaxLabelBytes)
        {
            throw Invalid(FormattableString.Invariant($"labels of {bytes} bytes: keys and values may have {MaxLabelBytes} together"));
        }
    }

    private static void CheckText(string field, string text)
    {
        if (Encoding.UTF8.GetByteCount(text) is var bytes and > MaxTextBytes)
        {
            throw Invalid(FormattableString.Invariant($"{field} of {bytes} bytes: it may have {MaxTextBytes}"));
        }
    }

    private static RpcException Invalid(string fault) => new(new Status(StatusCode.InvalidArgument, $"attach refused: {fault}"));
}
