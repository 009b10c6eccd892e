using Interop.Tests.Support;
using Yamux;

namespace Interop.Tests.RawYamux;

/// <summary>Random sizes up to 8 MiB there and back, hashes compared by the one that sent.</summary>
public sealed class EchoTests(GoPeerBinary binary)
{
    private const int SmallWindow = 256 * 1024;
    private const int LargeWindow = 16 * 1024 * 1024;

    public static TheoryData<YamuxRole, int, int> Cases { get; } = new MatrixTheoryData<YamuxRole, int, int>(
        [YamuxRole.Client, YamuxRole.Server], [SmallWindow, LargeWindow], [1, 64, 1000]);

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Go_echoes_what_we_send(YamuxRole role, int window, int streams)
    {
        await using var pair = await RawPair.StartAsync(binary, role, "echo", window);

        await Task.WhenAll(Enumerable.Range(0, streams).Select(index => Payload.SendAsync(pair.Session, index))).Guarded();

        await pair.EndAsync();
        Assert.StartsWith($"{streams} ", await pair.Go.RestOfLineAsync("echoed "), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task We_echo_what_Go_sends(YamuxRole role, int window, int streams)
    {
        await using var pair = await RawPair.StartAsync(binary, role, "send", window, streams);
        var echoes = Payload.EchoAllAsync(pair.Session);

        await pair.Go.RestOfLineAsync("ok send");

        await pair.EndAsync();
        Assert.Equal(streams, await echoes.Guarded());
    }

    [Theory]
    [InlineData(YamuxRole.Client, SmallWindow)]
    [InlineData(YamuxRole.Client, LargeWindow)]
    [InlineData(YamuxRole.Server, SmallWindow)]
    [InlineData(YamuxRole.Server, LargeWindow)]
    public async Task Both_send_and_echo_at_once(YamuxRole role, int window)
    {
        const int Streams = 64;
        await using var pair = await RawPair.StartAsync(binary, role, "duplex", window, Streams);
        var echoes = Payload.EchoAllAsync(pair.Session);

        await Task.WhenAll(Enumerable.Range(0, Streams).Select(index => Payload.SendAsync(pair.Session, index))).Guarded();
        await pair.Go.RestOfLineAsync("ok send");

        await pair.EndAsync();
        Assert.Equal(Streams, await echoes.Guarded());
    }

    [Theory]
    [InlineData(YamuxRole.Client)]
    [InlineData(YamuxRole.Server)]
    public async Task A_Go_peer_with_a_backlog_of_one_is_not_held_up_by_missing_acknowledgements(YamuxRole role)
    {
        const int Streams = 64;
        await using var pair = await RawPair.StartAsync(binary, role, "send", streams: Streams, backlog: 1);
        var echoes = Payload.EchoAllAsync(pair.Session);

        await pair.Go.RestOfLineAsync("ok send");

        await pair.EndAsync();
        Assert.Equal(Streams, await echoes.Guarded());
    }

    [Theory]
    [InlineData(YamuxRole.Client)]
    [InlineData(YamuxRole.Server)]
    public async Task Streams_that_Go_closes_at_once_are_acknowledged_all_the_same(YamuxRole role)
    {
        const int Streams = 1000;
        await using var pair = await RawPair.StartAsync(binary, role, "open-close", streams: Streams);
        var echoes = Payload.EchoAllAsync(pair.Session);

        await pair.Go.RestOfLineAsync("ok open-close");

        await pair.EndAsync();
        Assert.Equal(Streams, await echoes.Guarded());
    }
}
