namespace Yamux.Internal;

/// <summary>What <see cref="Enum.HasFlag"/> does, without the box that it allocates in code that is not optimized yet.</summary>
internal static class StreamFlags
{
    public static bool Has(this StreamState state, StreamState bits) => (state & bits) == bits;

    public static bool Has(this StreamEffects effects, StreamEffects bits) => (effects & bits) == bits;
}
