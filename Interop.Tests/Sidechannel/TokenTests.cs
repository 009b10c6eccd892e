using System.Globalization;
using Backchannel;
using Grpc.Core;
using Interop.Tests.Calls;
using Interop.Tests.Proto;
using Interop.Tests.Support;

namespace Interop.Tests.Sidechannel;

/// <summary>Tokens made here and by Go's own HMAC are the same, and let calls in at either side.</summary>
public sealed class TokenTests(GoPeerBinary binary)
{
    private const string Secret = "a shared secret";

    public static TheoryData<string, long> Vectors { get; } = new()
    {
        { "s", 0 },
        { Secret, 1_700_000_000 },
        { "für dich, ✓", 253_402_300_799 },
        { new string('k', 65), 1 },
        { "a.b.c", -1 },
    };

    [Theory]
    [MemberData(nameof(Vectors))]
    public async Task Both_make_the_same_token_and_accept_each_others(string secret, long seconds)
    {
        var time = DateTimeOffset.FromUnixTimeSeconds(seconds);
        var ours = GitalyToken.Create(secret, time);

        await using var maker = Start("-secret", secret, "-time", Text(seconds));
        var theirs = await maker.RestOfLineAsync("token ");
        Assert.Equal(theirs, ours);
        Assert.True(GitalyToken.Verify(theirs, secret, time));
        Assert.False(GitalyToken.Verify(theirs, secret + "x", time));

        await using var verifier = Start("-secret", secret, "-time", Text(seconds), "-verify", ours);
        await verifier.RestOfLineAsync("ok");
        await using var stranger = Start("-secret", secret + "x", "-time", Text(seconds), "-verify", ours);
        Assert.Equal("made with another secret", await stranger.RestOfLineAsync("fail: "));
    }

    [Theory]
    [InlineData(30, true)]
    [InlineData(-30, true)]
    [InlineData(31, false)]
    [InlineData(-31, false)]
    public async Task Both_take_a_token_for_expired_at_the_same_second(int age, bool valid)
    {
        const long Issued = 1_700_000_000;
        var token = GitalyToken.Create(Secret, DateTimeOffset.FromUnixTimeSeconds(Issued));

        await using var go = Start("-secret", Secret, "-time", Text(Issued + age), "-verify", token);

        await go.RestOfLineAsync(valid ? "ok" : "fail: made ");
        Assert.Equal(valid, GitalyToken.Verify(token, Secret, DateTimeOffset.FromUnixTimeSeconds(Issued + age)));
    }

    [Theory]
    [InlineData(Secret, StatusCode.OK)]
    [InlineData("another secret", StatusCode.PermissionDenied)]
    [InlineData(null, StatusCode.Unauthenticated)]
    public async Task A_Go_server_lets_our_calls_in_by_their_token(string? token, StatusCode expected)
    {
        await using var go = binary.Start("grpc-server", "-token", Secret);
        await using var client = new CSharpClient(await go.AddressAsync(), token: token);

        if (expected == StatusCode.OK)
        {
            // The metadata of the sidechannel and of the token go together.
            await new TransferCaller(client).RunAsync("echo", 65_517);
        }
        else
        {
            var failure = await Assert.ThrowsAsync<RpcException>(() => client.Server.IdentifyAsync(new Empty()).ResponseAsync.Guarded());
            Assert.Equal(expected, failure.StatusCode);
            using var stream = client.Server.ServerStream(new Request());
            failure = await Assert.ThrowsAsync<RpcException>(() => stream.ResponseStream.MoveNext(TestContext.Current.CancellationToken).Guarded());
            Assert.Equal(expected, failure.StatusCode);
        }

        await client.EndAsync();
    }

    [Theory]
    [InlineData(Secret, "ok all 1")]
    [InlineData("another secret", "fail: echo 65517: rpc error: code = PermissionDenied desc = permission denied: the token was not made with the secret of this server")]
    [InlineData("", "fail: echo 65517: rpc error: code = Unauthenticated desc = authentication required: the call has no \"authorization: Bearer v2.HMAC.TIME\"")]
    public async Task We_let_the_calls_of_a_Go_client_in_by_their_token(string token, string outcome)
    {
        await using var server = await CSharpServer.StartAsync(token: Secret);
        await using var go = binary.Start("sidechannel-client", "-connect", server.Address, "-modes", "echo", "-sizes", "65517", "-token", token);

        Assert.Equal("", await go.RestOfLineAsync(outcome));

        await go.ExitAsync(TimeSpan.FromMinutes(1));
        await server.EndAsync();
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private GoPeer Start(params string[] arguments) => binary.Start(["token", .. arguments]);
}
