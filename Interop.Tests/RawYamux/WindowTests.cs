using Interop.Tests.Support;
using Yamux;

namespace Interop.Tests.RawYamux;

/// <summary>The window that each side advertises is what the other may send before anybody reads: all of it, and no more.</summary>
public sealed class WindowTests(GoPeerBinary binary)
{
    public static TheoryData<YamuxRole, int> Cases { get; } =
        new MatrixTheoryData<YamuxRole, int>([YamuxRole.Client, YamuxRole.Server], [256 * 1024, 16 * 1024 * 1024]);

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Go_sends_a_whole_window_before_we_read(YamuxRole role, int window)
    {
        await using var pair = await RawPair.StartAsync(binary, role, "fill", window);
        await using var stream = await pair.AcceptAsync();
        await stream.Output.WriteAsync(new byte[1], TestContext.Current.CancellationToken).Guarded();

        await pair.Go.RestOfLineAsync($"wrote {window}");
        var received = await Payload.ReadToEndAsync(stream.Input);

        Assert.Equal(await pair.Go.RestOfLineAsync("sent "), received);
        await stream.Output.CompleteAsync();
        await pair.EndAsync();
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task We_send_a_whole_window_before_Go_reads_and_no_more(YamuxRole role, int window)
    {
        await using var pair = await RawPair.StartAsync(binary, role, "hold", window);
        await using var held = await pair.OpenAsync();
        // Go's byte comes after its acknowledgement, and so after its credit.
        await held.AsStream().ReadExactlyAsync(new byte[1], TestContext.Current.CancellationToken).Guarded();

        var hash = await WriteWindowAsync(held, window);
        var oneMore = held.AsStream().WriteAsync(new byte[1], TestContext.Current.CancellationToken).AsTask();
        // The pong comes after all that Go had to say of the window.
        await pair.Session.PingAsync(TestContext.Current.CancellationToken).Guarded();
        Assert.False(oneMore.IsCompleted);

        await using var release = await pair.OpenAsync();
        await oneMore.Guarded();
        await held.Output.CompleteAsync();
        Assert.Equal($"{window + 1} {hash}", await pair.Go.RestOfLineAsync("received "));

        await pair.EndAsync();
    }

    /// <summary>Writes the window in one piece; returns the hash of it and one zero.</summary>
    private static async Task<string> WriteWindowAsync(YamuxStream stream, int window)
    {
        var bytes = new byte[window + 1];
        new Random(7).NextBytes(bytes.AsSpan(0, window));
        await stream.AsStream().WriteAsync(bytes.AsMemory(0, window), TestContext.Current.CancellationToken).Guarded();
        return Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes));
    }
}
