using Yamux.IO;

namespace Yamux.Tests.IO;

public class SocketWriterTests
{
    private const int Length = 64 * 1024 * 1024; // More than two sockets take.

    [Fact]
    public async Task What_goes_on_when_a_write_has_waited_does_not_run_in_the_context_of_whoever_began_it()
    {
        var (stream, peer) = await Loopback.ConnectAsync();
        await using var ours = stream;
        await using var theirs = peer;
        var writer = new SocketWriter(stream);
        var local = new AsyncLocal<string?>();
        var seen = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);

        await Task.Run(() =>
        {
            local.Value = "a request";
#pragma warning disable CA2012 // The awaiter is kept, and asked for its result once, as the engine does.
            var write = writer.WriteAsync(new byte[Length], CancellationToken.None).ConfigureAwait(false).GetAwaiter();
#pragma warning restore CA2012
            Assert.False(write.IsCompleted);
            write.UnsafeOnCompleted(() =>
            {
                write.GetResult();
                seen.SetResult(local.Value);
            });
        });
        var buffer = new byte[1024 * 1024];
        for (var left = Length; left > 0;)
        {
            left -= await peer.ReadAsync(buffer).Guarded();
        }

        Assert.Null(await seen.Task.Guarded());
    }
}
