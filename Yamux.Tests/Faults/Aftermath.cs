using Xunit;
using Yamux.Tests.Kit;

namespace Yamux.Tests.Faults;

/// <summary>What must be true of both ends when a fault has ended an <see cref="Exchange"/>.</summary>
internal static class Aftermath
{
    /// <summary>Nothing is left behind.</summary>
    public static async Task ExpectReleasedAsync(Exchange exchange)
    {
        foreach (var party in new[] { exchange.Client, exchange.Server })
        {
            Assert.Equal(0, party.Session.StreamCount);
            await party.Transport.WaitForReleaseAsync().Guarded();
            Assert.True(party.Transport.IsReleased, $"The {party.Session.Role} still holds its transport.");
            Assert.InRange(party.Time.LiveTimers, 0, party.Transport.LastingTimers);
        }

        exchange.Log.AssertNoWarnings();
    }

    /// <summary>The session and everything of it has ended with this error, after every byte that came before.</summary>
    /// <param name="party">The session.</param>
    /// <param name="peer">The other.</param>
    /// <param name="code">Its error.</param>
    /// <param name="least">What each stream must have been given, where the clock has ended the session while more still came.</param>
    public static async Task ExpectFailedAsync(Party party, Party peer, YamuxErrorCode code, Dictionary<uint, long>? least = null)
    {
        var session = party.Session;
        var most = party.Transport.Received.Payloads();
        await ExpectCompletionAsync(party, code);
        while (await party.AcceptAsync() is not null)
        {
        }

        await ExpectAsync(code, session.OpenStreamAsync().AsTask());
        await ExpectAsync(code, session.PingAsync().AsTask());
        foreach (var endpoint in party.Endpoints)
        {
            await ExpectStreamFailedAsync(endpoint, peer.Find(endpoint.Stream.Id), code);
            ExpectBytes(endpoint, peer.Find(endpoint.Stream.Id), least ?? most, most);
        }

        Assert.All((least ?? most).Keys, id => Assert.NotNull(party.Find(id)));
        await session.DisposeAsync();
    }

    // A connection that ends between two frames was closed; everything else is a failure.
    private static async Task ExpectCompletionAsync(Party party, YamuxErrorCode code)
    {
        var transport = party.Transport;
        // One that could not write was ended by the clock, whatever was read when it let go of its connection.
        var closed = code == YamuxErrorCode.ConnectionLost && transport.HasEnded && transport.Received.IsBetweenFrames && transport.Fault?.Side != FaultSide.Write;
        if (!closed)
        {
            await ExpectAsync(code, party.Session.Completion);
        }
        else if (transport.Fault is not null)
        {
            await party.Session.Completion;
        }
        else
        {
            await ExpectCloseOrLossAsync(party.Session.Completion);
        }
    }

    // The other end may have found out first that its peer takes no more bytes, which is a failure.
    private static async Task ExpectCloseOrLossAsync(Task completion)
    {
        try
        {
            await completion;
        }
        catch (YamuxException error)
        {
            Assert.Equal(YamuxErrorCode.ConnectionLost, error.ErrorCode);
        }
    }

    private static async Task ExpectStreamFailedAsync(Endpoint endpoint, Endpoint? other, YamuxErrorCode code)
    {
        await endpoint.DrainAsync();
        if (endpoint.Failure is not { } failure)
        {
            Assert.True(other is { IsFinished: true }, $"Stream {endpoint.Stream.Id} reads as ended, and its other end had not finished.");
            Assert.Equal(other.Sent, endpoint.Received);
        }
        else
        {
            Assert.True(
                failure.ErrorCode == code || IsOwn(failure.ErrorCode),
                $"Stream {endpoint.Stream.Id} failed with {failure.ErrorCode} ({failure.Message}).");
        }

        if (!endpoint.IsFinished)
        {
            var error = await Assert.ThrowsAsync<YamuxException>(async () => await endpoint.Stream.Output.WriteAsync(new byte[1]));
            Assert.True(
                error.ErrorCode == code || IsOwn(error.ErrorCode),
                $"A write to stream {endpoint.Stream.Id} failed with {error.ErrorCode} ({error.Message}).");
        }

        Assert.True(endpoint.Stream.Closed.IsCancellationRequested, $"Stream {endpoint.Stream.Id} is not closed.");

        // What the exchange itself does to a stream, whatever happens to the connection.
        bool IsOwn(YamuxErrorCode it) => (it == YamuxErrorCode.StreamReset && other is { IsAborted: true })
            || (it == YamuxErrorCode.StreamAborted && endpoint.IsAborted);
    }

    // Which bytes they were was checked when they were read.
    private static void ExpectBytes(Endpoint endpoint, Endpoint? other, Dictionary<uint, long> least, Dictionary<uint, long> most)
    {
        var id = endpoint.Stream.Id;
        Assert.InRange(endpoint.Received, 0, other?.Sent ?? 0);
        if (!endpoint.IsAborted)
        {
            Assert.InRange(endpoint.Received, least.GetValueOrDefault(id), most.GetValueOrDefault(id));
        }
    }

    private static async Task ExpectAsync(YamuxErrorCode code, Task task)
    {
        var error = await Assert.ThrowsAsync<YamuxException>(() => task);
        Assert.Equal(code, error.ErrorCode);
    }
}
