using Interop.Tests.Support;
using Yamux;

namespace Interop.Tests.RawYamux;

/// <summary>Each side sends and ends its half; what comes after the other half's end is whole all the same.</summary>
public sealed class HalfCloseTests(GoPeerBinary binary)
{
    // Less than the smallest window: it can be sent whole before anybody reads.
    private const int Size = 200 * 1024;

    public static TheoryData<YamuxRole, bool> Cases { get; } =
        new MatrixTheoryData<YamuxRole, bool>([YamuxRole.Client, YamuxRole.Server], [false, true]);

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Go_receives_what_we_send_after_its_end(YamuxRole role, bool goOpens)
    {
        await using var pair = await RawPair.StartAsync(binary, role, "close-first", goOpens: goOpens);
        await using var stream = await OpenOrAcceptAsync(pair, goOpens);

        var received = await Payload.ReadToEndAsync(stream.Input);
        var sent = await SendAndCloseAsync(stream);

        Assert.Equal(await pair.Go.RestOfLineAsync("sent "), received);
        Assert.Equal(await pair.Go.RestOfLineAsync("received "), sent);
        await pair.EndAsync();
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task We_receive_what_Go_sends_after_our_end(YamuxRole role, bool goOpens)
    {
        await using var pair = await RawPair.StartAsync(binary, role, "close-last", goOpens: goOpens);
        await using var stream = await OpenOrAcceptAsync(pair, goOpens);

        var sent = await SendAndCloseAsync(stream);
        Assert.Equal(await pair.Go.RestOfLineAsync("received "), sent);

        var received = await Payload.ReadToEndAsync(stream.Input);
        Assert.Equal(await pair.Go.RestOfLineAsync("sent "), received);
        await pair.EndAsync();
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Both_end_without_waiting_for_each_other(YamuxRole role, bool goOpens)
    {
        await using var pair = await RawPair.StartAsync(binary, role, "close-together", goOpens: goOpens);
        await using var stream = await OpenOrAcceptAsync(pair, goOpens);

        var sent = await SendAndCloseAsync(stream);
        var received = await Payload.ReadToEndAsync(stream.Input);

        Assert.Equal(await pair.Go.RestOfLineAsync("sent "), received);
        Assert.Equal(await pair.Go.RestOfLineAsync("received "), sent);
        await pair.EndAsync();
    }

    private static Task<YamuxStream> OpenOrAcceptAsync(RawPair pair, bool goOpens) => goOpens ? pair.AcceptAsync() : pair.OpenAsync();

    private static async Task<string> SendAndCloseAsync(YamuxStream stream)
    {
        var hash = await Payload.WriteAsync(stream.AsStream(), new Random(7), Size);
        await stream.Output.CompleteAsync();
        return $"{Size} {hash}";
    }
}
