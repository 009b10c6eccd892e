using System.IO.Pipelines;
using Backchannel.Tests.Kit;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Time.Testing;
using Xunit;
using Yamux;

namespace Backchannel.Tests.Transports;

/// <summary>A peer that has closed its side, and of which nobody knows whether it still reads.</summary>
public class ClosedSideTests
{
    [Fact]
    public async Task Its_connection_is_aborted_ConnectionWriteTimeout_after_the_session_has_ended()
    {
        var time = new FakeTimeProvider();
        var fromPeer = new Pipe();
        var toPeer = new Pipe();
        await using var connection = new DefaultConnectionContext("closed side", new DuplexPipe(fromPeer.Reader, toPeer.Writer), new DuplexPipe(toPeer.Reader, fromPeer.Writer));
        var aborted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = connection.ConnectionClosed.Register(aborted.SetResult);
        var session = connection.CreateYamuxSession(YamuxRole.Server, new YamuxOptions { TimeProvider = time, EnableKeepAlive = false });

        byte[] goAway = [0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        await fromPeer.Writer.WriteAsync(goAway, TestContext.Current.CancellationToken);
        await fromPeer.Writer.CompleteAsync();
        await session.Completion.Guarded();

        time.Advance(TimeSpan.FromSeconds(10) - TimeSpan.FromMilliseconds(1));
        Assert.False(aborted.Task.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1));
        await aborted.Task.Guarded();
    }
}
