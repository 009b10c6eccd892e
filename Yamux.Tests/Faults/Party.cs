using System.Collections.Concurrent;

namespace Yamux.Tests.Faults;

/// <summary>One of the two sessions of an <see cref="Exchange"/>, with all of its streams.</summary>
internal sealed class Party(YamuxSession session, FaultyTransport transport)
{
    private readonly ConcurrentDictionary<uint, Endpoint> _endpoints = new();

    public YamuxSession Session => session;

    public FaultyTransport Transport => transport;

    public bool IsClient => session.Role == YamuxRole.Client;

    public ICollection<Endpoint> Endpoints => _endpoints.Values;

    public Endpoint? Find(uint id) => _endpoints.GetValueOrDefault(id);

    public async Task<Endpoint> OpenAsync() => Add(await session.OpenStreamAsync());

    /// <summary>Null: the session has ended.</summary>
    public async Task<Endpoint?> AcceptAsync()
    {
        try
        {
            return await session.AcceptStreamAsync() is { } stream ? Add(stream) : null;
        }
        catch (YamuxException)
        {
            return null; // It has failed, which Completion tells as well.
        }
    }

    private Endpoint Add(YamuxStream stream)
    {
        var endpoint = new Endpoint(stream, IsClient);
        Assert.True(_endpoints.TryAdd(stream.Id, endpoint), $"Stream {stream.Id} came twice.");
        return endpoint;
    }
}
