using Interop.Tests.RawYamux;
using Interop.Tests.Support;
using Yamux;

namespace Interop.Tests.JavaScript;

/// <summary>The window of each side is what the other may send before anybody reads: all of it, and no more.</summary>
public sealed class WindowTests(NodePeerPackage package)
{
    public static TheoryData<Library, YamuxRole> Cases => Libraries.InBothRoles;

    public static TheoryData<YamuxRole> Roles { get; } = [YamuxRole.Client, YamuxRole.Server];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task JavaScript_sends_a_whole_window_before_we_read_and_no_more(Library library, YamuxRole role)
    {
        await using var pair = await JavaScriptPair.StartAsync(package, library, role, "fill", bytes: 3 * JavaScriptPair.Window);
        await using var stream = await pair.AcceptAsync();

        await pair.Peer.RestOfLineAsync($"wrote {JavaScriptPair.Window}");
        await pair.PingAsync();
        Assert.Equal(JavaScriptPair.Window, pair.Frames.Data(stream.Id, received: true));

        var received = await Payload.ReadToEndAsync(stream.Input);
        Assert.Equal(await pair.Peer.RestOfLineAsync("sent "), received);
        await stream.Output.CompleteAsync();
        await pair.EndAsync();
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task JavaScript_never_gives_more_credit_than_its_window_has(Library library, YamuxRole role)
    {
        const int Size = 1024 * 1024;
        await using var pair = await JavaScriptPair.StartAsync(package, library, role, "echo", bytes: Size, window: JavaScriptPair.Window);

        await Payload.SendAsync(pair.Session, new Random(7), Size);

        Assert.Equal(Size, pair.Frames.Data(FirstId(role), received: false));
        Assert.Equal(JavaScriptPair.Window, pair.Frames.LargestCredit(FirstId(role)));
        await pair.EndAsync();
    }

    /// <summary>yamux-js gives credit for what nobody has read: see its own tests.</summary>
    [Theory]
    [MemberData(nameof(Roles))]
    public async Task We_send_a_whole_window_before_libp2p_reads_and_no_more(YamuxRole role)
    {
        await using var pair = await JavaScriptPair.StartAsync(package, Library.Libp2p, role, "hold");
        await using var held = await pair.OpenAsync();
        // Its byte comes after all that it had to say of its window.
        await held.AsStream().ReadExactlyAsync(new byte[1], TestContext.Current.CancellationToken).Guarded();

        var bytes = new byte[JavaScriptPair.Window + 1];
        new Random(7).NextBytes(bytes);
        await held.AsStream().WriteAsync(bytes.AsMemory(0, JavaScriptPair.Window), TestContext.Current.CancellationToken).Guarded();
        var oneMore = held.AsStream().WriteAsync(bytes.AsMemory(JavaScriptPair.Window), TestContext.Current.CancellationToken).AsTask();
        await pair.PingAsync();
        Assert.False(oneMore.IsCompleted);

        await using var release = await pair.OpenAsync();
        await oneMore.Guarded();
        await held.Output.CompleteAsync();
        var hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes));
        Assert.Equal($"{bytes.Length} {hash}", await pair.Peer.RestOfLineAsync("received "));
        await pair.EndAsync();
    }

    private static uint FirstId(YamuxRole role) => role == YamuxRole.Client ? 1u : 2u;
}
