using System.IO.Pipelines;
using Interop.Tests.Support;
using Yamux;

namespace Interop.Tests.JavaScript;

/// <summary>A peer that dies in the middle of an echo is an error to all who use the session, and never an end.</summary>
public sealed class KillTests(NodePeerPackage package)
{
    public static TheoryData<Library, YamuxRole> Cases => Libraries.InBothRoles;

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_peer_that_dies_is_not_the_end_of_its_stream(Library library, YamuxRole role)
    {
        await using var pair = await JavaScriptPair.StartAsync(package, library, role, "echo");
        await using var stream = await pair.OpenAsync();
        var underWay = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var write = WriteForeverAsync(stream.Output);
        var echo = ReadForeverAsync(stream.Input, underWay);
        await underWay.Task.Guarded();

        pair.Peer.Kill();

        var failures = new[]
        {
            await Assert.ThrowsAsync<YamuxException>(() => echo.Guarded()),
            await Assert.ThrowsAsync<YamuxException>(() => write.Guarded()),
            await Assert.ThrowsAsync<YamuxException>(pair.OpenAsync),
            await Assert.ThrowsAsync<YamuxException>(pair.PingAsync),
        };
        Assert.All(failures, failure => Assert.Equal(YamuxErrorCode.ConnectionLost, failure.ErrorCode));
        await HangGuard.AcceptsNoMoreAsync(pair.Session);
        Assert.Equal(0, pair.Session.StreamCount);

        await HangGuard.LostAsync(pair.Session.Completion);
    }

    private static async Task WriteForeverAsync(PipeWriter output)
    {
        var piece = new byte[10_000];
        while (true)
        {
            await output.WriteAsync(piece, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Returns at the end, of which there must be none.</summary>
    private static async Task ReadForeverAsync(PipeReader input, TaskCompletionSource underWay)
    {
        ReadResult read;
        long length = 0;
        do
        {
            read = await input.ReadAsync(TestContext.Current.CancellationToken);
            length += read.Buffer.Length;
            input.AdvanceTo(read.Buffer.End);
            if (length >= 4 * JavaScriptPair.Window)
            {
                underWay.TrySetResult();
            }
        }
        while (!read.IsCompleted);
    }
}
