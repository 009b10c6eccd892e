using Yamux.Internal;

namespace Yamux.Tests.Limits;

/// <summary>Of the peer's ids the last 4,096 are remembered, in whatever order and with whatever gaps they come.</summary>
public class UsedIdsTests
{
    [Theory]
    [InlineData(1u, "a few at a time")]
    [InlineData(60u, "about a word")]
    [InlineData(70u, "a little more than a word")]
    [InlineData(4_000u, "nearly the window")]
    [InlineData(4_200u, "a little more than the window")]
    [InlineData(20_000_000u, "far more than the window")]
    public void An_id_is_taken_once_and_not_when_it_lies_4096_behind(uint stride, string jumps)
    {
        Assert.NotEmpty(jumps);
        var ids = new UsedIds();
        var used = new HashSet<uint>();
        var highest = 0u;
        var steps = Bytes.Pattern(50_000, seed: 7);
        for (var i = 0; i + 3 < steps.Length; i += 4)
        {
            // Three of four go back, up to a little more than the window; the fourth jumps on.
            var back = (uint)((steps[i] * 17) + (steps[i + 1] % 64));
            var number = i % 16 == 0 ? highest + 1 + (stride * (uint)steps[i + 2] / 128) : Math.Max(1, highest - Math.Min(highest, back));
            if (number >= 1u << 31)
            {
                return;
            }

            var isFree = number > highest || (highest - number < UsedIds.Window && !used.Contains(number));
            Assert.Equal(isFree, ids.TryUse((2 * number) - 1));
            used.Add(number);
            highest = Math.Max(highest, number);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(63)]
    [InlineData(64)]
    public void All_ids_of_a_window_may_come_backwards(int first)
    {
        var ids = new UsedIds();
        var window = Enumerable.Range(first + 1, UsedIds.Window).Select(number => 2 * (uint)number).ToArray();

        Assert.All(window.Reverse(), id => Assert.True(ids.TryUse(id), $"{id}"));

        Assert.All(window, id => Assert.False(ids.TryUse(id), $"{id}"));
    }

    [Fact]
    public void The_last_id_of_all_may_come_first_and_those_before_it_later()
    {
        var ids = new UsedIds();

        Assert.True(ids.TryUse(uint.MaxValue));
        Assert.True(ids.TryUse(uint.MaxValue - 2));
        Assert.False(ids.TryUse(uint.MaxValue));
        Assert.True(ids.TryUse(uint.MaxValue - (2 * (UsedIds.Window - 1))));
        Assert.False(ids.TryUse(uint.MaxValue - (2 * UsedIds.Window)));
    }
}
