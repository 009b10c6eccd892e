using System.Net;

namespace Yamux.Tests.Abuse;

/// <summary>Attacks from threads of its own, and connects again whenever its session is ended.</summary>
internal sealed class HostilePeer
{
    private readonly Task[] _threads;
    private long _frames;
    private int _connections;
    private volatile bool _isOver;

    public HostilePeer(EndPoint victim, Action<HostileConnection> attack, bool reads, int connections)
    {
        _threads = [.. Enumerable.Range(0, connections).Select(_ => Task.Factory.StartNew(
            () => Run(victim, attack, reads), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
    }

    /// <summary>How many frames have been sent.</summary>
    public long Frames => Interlocked.Read(ref _frames);

    /// <summary>How many connections have been made.</summary>
    public int Connections => Volatile.Read(ref _connections);

    public bool IsOver => _isOver;

    public void Count(int frames) => Interlocked.Add(ref _frames, frames);

    /// <summary>Ends the attack, and fails if it could not be made.</summary>
    public async Task StopAsync()
    {
        _isOver = true;
        await Task.WhenAll(_threads).Guarded();
    }

    private void Run(EndPoint victim, Action<HostileConnection> attack, bool reads)
    {
        while (!IsOver)
        {
            using var connection = new HostileConnection(victim, this, reads);
            Interlocked.Increment(ref _connections);
            try
            {
                attack(connection);
                connection.Hold();
            }
            catch (SessionOverException)
            {
                // Once more, until the time is over.
            }
        }
    }
}
