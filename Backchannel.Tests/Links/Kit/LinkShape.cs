namespace Backchannel.Tests.Links.Kit;

/// <summary>One direction of a link: how many bytes it carries in a second, 0 for none at all, and how long each is under way.</summary>
internal sealed record LinkShape(long BytesPerSecond, TimeSpan Delay = default)
{
    /// <summary>As a cable that was cut: nothing comes, no end either, and what is sent goes nowhere.</summary>
    public static readonly LinkShape Frozen = new(0);

    /// <summary>Faster than anything that is tested.</summary>
    public static readonly LinkShape Fast = new(1_000_000_000);

    public bool IsFrozen => BytesPerSecond == 0;
}
