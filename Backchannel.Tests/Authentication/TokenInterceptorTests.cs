using System.Net;
using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Backchannel.Tests.Authentication;

/// <summary>A server that lets calls in by their tokens.</summary>
public sealed class TokenInterceptorTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.FromUnixTimeSeconds(1_700_000_000));
    private WebApplication? _app;
    private GrpcChannel? _channel;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddRouting();
        builder.Services.AddSingleton(new TesterState("server"));
        builder.Services.AddGrpc(options => options.Interceptors.Add<TokenServerInterceptor>("secret", _time));
        _app = builder.Build();
        _app.MapGrpcService<TesterService>();
        await _app.StartAsync().Guarded();
        _channel = GrpcChannel.ForAddress(_app.Urls.Single());
    }

    public async ValueTask DisposeAsync()
    {
        _channel!.Dispose();
        await _app!.StopAsync().Guarded();
        await _app.DisposeAsync();
    }

    [Fact]
    public async Task Calls_of_every_kind_come_in_with_a_token()
    {
        var tester = Tester(new TokenClientInterceptor("secret", _time));

        Assert.Equal("server", (await tester.UnaryAsync(new Request())).ServedBy);
        Assert.Equal("server", tester.Unary(new Request()).ServedBy);
        using var download = tester.ServerStream(new Request { Count = 1 });
        Assert.True(await download.ResponseStream.MoveNext().Guarded());
        using var upload = tester.ClientStream();
        await upload.RequestStream.CompleteAsync();
        Assert.Equal("server", (await upload).ServedBy);
        using var duplex = tester.Duplex();
        await duplex.RequestStream.WriteAsync(new Request());
        Assert.True(await duplex.ResponseStream.MoveNext().Guarded());
    }

    [Fact]
    public async Task A_call_keeps_its_own_headers_and_they_are_left_as_they_were()
    {
        var headers = new Metadata { { "mine", "1" } };

        await Tester(new TokenClientInterceptor("secret", _time)).UnaryAsync(new Request(), headers).ResponseAsync.Guarded();

        Assert.Equal("mine", Assert.Single(headers).Key);
    }

    [Fact]
    public async Task A_call_without_a_token_is_Unauthenticated()
    {
        await AssertRefusedAsync(StatusCode.Unauthenticated, _channel!.CreateCallInvoker(), []);
        await AssertRefusedAsync(StatusCode.Unauthenticated, _channel!.CreateCallInvoker(), new Metadata { { "authorization", "Basic dTpw" } });
        await AssertRefusedAsync(StatusCode.Unauthenticated, _channel!.CreateCallInvoker(), new Metadata { { "authorization", "Bearer secret" } });
    }

    [Fact]
    public async Task A_wrong_or_old_token_is_PermissionDenied()
    {
        await AssertRefusedAsync(StatusCode.PermissionDenied, _channel!.Intercept(new TokenClientInterceptor("wrong", _time)), []);
        var old = AuthenticationToken.Create("secret", _time.GetUtcNow());
        _time.Advance(TimeSpan.FromSeconds(31));
        await AssertRefusedAsync(StatusCode.PermissionDenied, _channel!.CreateCallInvoker(), new Metadata { { "authorization", $"Bearer {old}" } });
    }

    [Fact]
    public async Task The_scheme_may_be_written_in_any_case()
    {
        var token = AuthenticationToken.Create("secret", _time.GetUtcNow());

        await new Tester.TesterClient(_channel).UnaryAsync(new Request(), new Metadata { { "authorization", $"bearer {token}" } }).ResponseAsync.Guarded();
    }

    private Tester.TesterClient Tester(Interceptor interceptor) => new(_channel!.Intercept(interceptor));

    private static async Task AssertRefusedAsync(StatusCode expected, CallInvoker invoker, Metadata headers)
    {
        var tester = new Tester.TesterClient(invoker);
        Assert.Equal(expected, (await Assert.ThrowsAsync<RpcException>(() => tester.UnaryAsync(new Request(), headers).ResponseAsync.Guarded())).StatusCode);
        using var duplex = tester.Duplex(headers);
        Assert.Equal(expected, (await Assert.ThrowsAsync<RpcException>(() => duplex.ResponseStream.MoveNext().Guarded())).StatusCode);
    }
}
