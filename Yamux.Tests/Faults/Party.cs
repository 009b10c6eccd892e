using System.Collections.Concurrent;
using Xunit;
using Yamux.Tests.Kit;

namespace Yamux.Tests.Faults;

/// <summary>One of the two sessions of an <see cref="Exchange"/>, with all of its streams.</summary>
internal sealed class Party(YamuxSession session, IFaultyEnd transport, TestTime time)
{
    private readonly ConcurrentDictionary<uint, Endpoint> _endpoints = new();

    public YamuxSession Session => session;

    public IFaultyEnd Transport => transport;

    /// <summary>Its own: a real connection may let the other end wait for a write, which sets a timer as long as one that a test waits for.</summary>
    public TestTime Time => time;

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
