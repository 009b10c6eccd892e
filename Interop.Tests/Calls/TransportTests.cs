using Grpc.Core;
using Interop.Tests.Proto;
using Interop.Tests.Sidechannel;
using Interop.Tests.Support;

namespace Interop.Tests.Calls;

/// <summary>Calls in both directions, and sidechannels, on every kind of connection and with servers of all years.</summary>
public sealed class TransportTests(GoPeerBinary binary)
{
    private static readonly long[] Sizes = [0, 65_517, 1024 * 1024];

    public static TheoryData<Transport, DialBack> Servers { get; } = new MatrixTheoryData<Transport, DialBack>(
        Enum.GetValues<Transport>(), Enum.GetValues<DialBack>());

    public static TheoryData<Transport> Transports { get; } = [.. Enum.GetValues<Transport>()];

    [Theory]
    [MemberData(nameof(Servers))]
    public Task A_Go_server_calls_us_back_and_opens_our_sidechannels(Transport transport, DialBack dialBack) => RunAsync(transport, dialBack);

    /// <summary>The :authority that a newer Go makes of a client on a Unix socket: nothing, or nothing behind the slash.</summary>
    [Theory]
    [InlineData(DialBack.Raw)]
    [InlineData(DialBack.Escaped)]
    [InlineData(DialBack.Lazy)]
    public Task A_Go_server_calls_us_back_to_whom_we_have_no_address(DialBack dialBack) => RunAsync(Transport.Unix, dialBack, "-nameless");

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task We_call_a_Go_client_back_and_open_its_sidechannels(Transport transport)
    {
        using var endpoint = new Endpoint(transport);
        await using var server = await CSharpServer.StartAsync(endpoint: endpoint);

        await using var calls = binary.Start(
            ["grpc-client", "-connect", server.Address, "-scenario", "mixed", "-callback", "mixed", .. endpoint.ClientArguments]);
        await calls.SucceedAsync();
        await using var sidechannels = binary.Start(
            ["sidechannel-client", "-connect", server.Address, "-sizes", string.Join(',', Sizes), .. endpoint.ClientArguments]);
        await sidechannels.SucceedAsync();

        await server.EndAsync();
        Assert.Empty(calls.Complaints);
        Assert.Empty(sidechannels.Complaints);
    }

    private async Task RunAsync(Transport transport, DialBack dialBack, params string[] arguments)
    {
        await using var go = await GoServer.StartAsync(binary, dialBack, transport, arguments);
        await using var client = go.Connect();
        var options = new CallOptions(cancellationToken: TestContext.Current.CancellationToken);

        await client.Server.CallBackAsync(new CallBackRequest { Scenario = "mixed" }, options).ResponseAsync.Guarded();
        await client.Server.CallBackAsync(new CallBackRequest { Scenario = "metadata" }, options).ResponseAsync.Guarded();
        await client.Server.CallBackAsync(new CallBackRequest { Scenario = "nested", Depth = 10 }, options).ResponseAsync.Guarded();

        var caller = new TransferCaller(client);
        await Task.WhenAll(TransferCaller.Modes.SelectMany(mode => Sizes.Select(size => caller.RunAsync(mode.Data, size)))).Guarded();

        Assert.Equal(1, client.ConnectionCount);
        await go.EndAsync(client);
    }
}
