using Backchannel.V1;
using Yamux;

namespace Backchannel;

/// <summary>Tells another replica of the agents that are attached here.</summary>
internal sealed class LinkTeller(PeerNames names)
{
    /// <summary>How many a page has at most.</summary>
    public const int MostOfPage = 10_000;

    /// <summary>The agents behind a name, in its order: so many, and the others of the last one's name.</summary>
    /// <param name="after">The name; empty: from the beginning.</param>
    /// <param name="count">How many.</param>
    public IReadOnlyList<PresentPeer> List(string after, int count)
    {
        var page = names.List().Where(present => string.CompareOrdinal(present.Name, after) > 0)
            .OrderBy(present => present.Name, StringComparer.Ordinal).ThenBy(present => present.Number).Take(count + BackchannelDirectory.MaxRecordsPerName).ToList();
        while (page.Count > count && page[^1].Name != page[count - 1].Name)
        {
            page.RemoveAt(page.Count - 1);
        }

        return page;
    }

    public async Task ListAsync(YamuxStream stream, LinkHeader header, CancellationToken cancellationToken)
    {
        foreach (var present in List(header.Name, (int)Math.Clamp(header.Attachment, 1, MostOfPage)))
        {
            await LinkMessages.WriteAsync(stream, new LinkPeer { Name = present.Name, Attachment = present.Number }, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Until the other end wants no more.</summary>
    public async Task WatchAsync(YamuxStream stream, CancellationToken cancellationToken)
    {
        using var watch = names.Watch();
        await foreach (var change in watch.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            var message = new LinkPeer { Name = change.Name, Attachment = change.Location.Attachment, Gone = change.Kind == PeerChangeKind.Disconnected, Reason = (int)(change.Reason ?? 0) };
            await LinkMessages.WriteAsync(stream, message, cancellationToken).ConfigureAwait(false);
        }
    }
}
