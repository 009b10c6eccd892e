using Yamux.Internal;

namespace Yamux.Tests.Limits;

/// <summary>A peer chooses the ids of its streams, and knows what .NET's tables do with numbers.</summary>
public class StreamIdComparerTests
{
    private const int Streams = 1024;

    [Theory]
    [InlineData(1931u)] // To what a dictionary of 1,024 entries has grown,
    [InlineData(4049u)] // and a concurrent one.
    public void Ids_that_are_chosen_for_one_bucket_are_spread_over_all(uint buckets)
    {
        var ids = Enumerable.Range(0, Streams).Select(i => (2 * buckets * (uint)i) + 1).ToList();
        Assert.Single(ids.GroupBy(id => (uint)EqualityComparer<uint>.Default.GetHashCode(id) % buckets));

        var fullest = ids.GroupBy(id => (uint)StreamIdComparer.Instance.GetHashCode(id) % buckets).Max(bucket => bucket.Count());

        Assert.InRange(fullest, 1, 20);
    }

    [Fact]
    public void An_id_is_itself_and_no_other()
    {
        Assert.Equal(StreamIdComparer.Instance.GetHashCode(7), StreamIdComparer.Instance.GetHashCode(7));
        Assert.True(StreamIdComparer.Instance.Equals(7, 7));
        Assert.False(StreamIdComparer.Instance.Equals(7, 9));
    }
}
