using Grpc.Core;

namespace Backchannel;

/// <summary>What a channel's credentials are, which they tell nobody but who configures a channel by them.</summary>
internal sealed class CredentialsProbe : ChannelCredentialsConfiguratorBase
{
    /// <summary>Whether they are for TLS; null: there are none.</summary>
    public bool? IsSecure { get; private set; }

    /// <summary>Whether each call is to carry some.</summary>
    public bool HasCallCredentials { get; private set; }

    public static CredentialsProbe Of(ChannelCredentials? credentials)
    {
        var probe = new CredentialsProbe();
        credentials?.InternalPopulateConfiguration(probe, probe);
        return probe;
    }

    public override void SetInsecureCredentials(object state) => IsSecure = false;

    public override void SetSslCredentials(object state, string? rootCertificates, KeyCertificatePair? keyCertificatePair, VerifyPeerCallback? verifyPeerCallback)
        => IsSecure = true;

    public override void SetCompositeCredentials(object state, ChannelCredentials channelCredentials, CallCredentials callCredentials)
    {
        HasCallCredentials = true;
        channelCredentials.InternalPopulateConfiguration(this, state);
    }
}
