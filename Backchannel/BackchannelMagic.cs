namespace Backchannel;

/// <summary>What a multiplexed connection begins with, inside TLS if there is any (Gitaly: backchannel).</summary>
internal static class BackchannelMagic
{
    public static ReadOnlySpan<byte> Bytes => "backchannel"u8;
}
