namespace Backchannel;

/// <summary>What must be known of a field in a decoder's table.</summary>
/// <param name="NameLength">The length of its name.</param>
/// <param name="IsHost">Whether its name is <c>:authority</c> or <c>host</c>.</param>
/// <param name="Size">Its size as HPACK counts it: name, value and 32.</param>
internal readonly record struct HpackField(int NameLength, bool IsHost, long Size)
{
    /// <summary>How many fields the static table has.</summary>
    public const int StaticCount = 61;

    private const int StaticAuthority = 1;
    private const int StaticHost = 38;

    // RFC 7541, Appendix A.
    private static ReadOnlySpan<byte> StaticNameLengths =>
    [
        10, 7, 7, 5, 5, 7, 7, 7, 7, 7, 7, 7, 7, 7, 14, 15, 15, 13, 6, 27, 3, 5, 13, 13, 19, 16, 16, 14, 16, 13, 12,
        6, 4, 4, 6, 7, 4, 4, 8, 17, 13, 8, 19, 13, 4, 8, 12, 18, 19, 5, 7, 7, 11, 6, 10, 25, 17, 10, 4, 3, 16,
    ];

    /// <summary>The name at <paramref name="index"/> of the static table, 1 to <see cref="StaticCount"/>.</summary>
    public static HpackField GetStatic(int index) => new(StaticNameLengths[index - 1], index is StaticAuthority or StaticHost, 0);
}
