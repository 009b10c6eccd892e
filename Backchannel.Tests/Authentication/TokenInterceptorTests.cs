using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
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
    private readonly ConcurrentQueue<string> _authorizations = new();
    private readonly ConcurrentQueue<string> _mine = new();
    private WebApplication? _app;
    private GrpcChannel? _channel;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddRouting();
        builder.Services.AddSingleton(new TesterState("server"));
        builder.Services.AddGrpc(options => options.Interceptors.Add<GitalyTokenServerInterceptor>("secret", _time));
        _app = builder.Build();
        _app.Use((context, next) =>
        {
            _authorizations.Enqueue(context.Request.Headers.Authorization.ToString());
            _mine.Enqueue(context.Request.Headers["mine"].ToString());
            return next(context);
        });
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
        var tester = Tester(new GitalyTokenClientInterceptor("secret", _time));

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

        await Tester(new GitalyTokenClientInterceptor("secret", _time)).UnaryAsync(new Request(), headers).ResponseAsync.Guarded();

        Assert.Equal("mine", Assert.Single(headers).Key);
        Assert.Equal("1", Assert.Single(_mine));
    }

    [Fact]
    public void A_call_keeps_its_method_its_host_and_its_options()
    {
        var method = new Method<string, string>(MethodType.Unary, "service", "method", Marshallers.StringMarshaller, Marshallers.StringMarshaller);
        var options = new CallOptions(deadline: new DateTime(2030, 1, 1, 0, 0, 0, DateTimeKind.Utc), cancellationToken: new CancellationToken(canceled: true));
        ClientInterceptorContext<string, string>? seen = null;

        new GitalyTokenClientInterceptor("secret", _time).BlockingUnaryCall("request", new ClientInterceptorContext<string, string>(method, "host", options), (request, context) =>
        {
            seen = context;
            return request;
        });

        Assert.Equal((method, "host"), (seen!.Value.Method, seen.Value.Host));
        Assert.Equal((options.Deadline, options.CancellationToken), (seen.Value.Options.Deadline, seen.Value.Options.CancellationToken));
    }

    [Fact]
    public async Task A_token_takes_the_place_of_a_calls_own_authorization()
    {
        var headers = new Metadata { { "authorization", "Bearer mine" }, { "Authorization", "Basic dTpw" } };

        await Tester(new GitalyTokenClientInterceptor("secret", _time)).UnaryAsync(new Request(), headers).ResponseAsync.Guarded();

        Assert.Equal(2, headers.Count);
        var sent = Assert.Single(_authorizations);
        Assert.Equal($"Bearer {GitalyToken.Create("secret", _time.GetUtcNow())}", sent);
    }

    [Fact]
    public async Task Each_call_has_a_token_of_its_own_time()
    {
        var tester = Tester(new GitalyTokenClientInterceptor("secret", _time));
        for (var call = 0; call < 3; call++)
        {
            await tester.UnaryAsync(new Request()).ResponseAsync.Guarded();
            _time.Advance(TimeSpan.FromSeconds(31));
        }

        Assert.Equal(3, _authorizations.Distinct().Count());
    }

    // As in Gitaly: what cannot be taken apart is no token, and all else is a wrong one.
    [Theory]
    [InlineData(null, StatusCode.Unauthenticated, "authorization: Bearer v2.HMAC.TIME")]
    [InlineData("", StatusCode.Unauthenticated, "authorization: Bearer v2.HMAC.TIME")]
    [InlineData("Basic dTpw", StatusCode.Unauthenticated, "authorization: Bearer v2.HMAC.TIME")]
    [InlineData("Bearer", StatusCode.Unauthenticated, "authorization: Bearer v2.HMAC.TIME")]
    [InlineData("Bearerv2.{0}.{1}", StatusCode.Unauthenticated, "authorization: Bearer v2.HMAC.TIME")]
    [InlineData("v2.{0}.{1}", StatusCode.Unauthenticated, "authorization: Bearer v2.HMAC.TIME")]
    [InlineData("Bearer secret", StatusCode.Unauthenticated, "v2.HMAC.TIME")]
    [InlineData("Bearer v2.{0}", StatusCode.Unauthenticated, "v2.HMAC.TIME")]
    [InlineData("Bearer v2.{0}0.{1}", StatusCode.Unauthenticated, "v2.HMAC.TIME")]
    [InlineData("Bearer v2.zz.{1}", StatusCode.Unauthenticated, "v2.HMAC.TIME")]
    [InlineData("Bearer v1.zz.{1}", StatusCode.Unauthenticated, "v2.HMAC.TIME")]
    [InlineData("Bearer v1.{0}.{1}", StatusCode.PermissionDenied, "version v2")]
    [InlineData("Bearer v1..", StatusCode.PermissionDenied, "version v2")]
    [InlineData("Bearer  v2.{0}.{1}", StatusCode.PermissionDenied, "version v2")]
    [InlineData("Bearer v2.00.{1}", StatusCode.PermissionDenied, "secret")]
    [InlineData("Bearer v2..{1}", StatusCode.PermissionDenied, "secret")]
    [InlineData("Bearer v2.{0}.{1}.1", StatusCode.PermissionDenied, "secret")]
    [InlineData("Bearer v2.{0}.1700000001", StatusCode.PermissionDenied, "secret")]
    [InlineData("Bearer v2.{2}.now", StatusCode.PermissionDenied, "no number of seconds")]
    [InlineData("Bearer v2.{3}.1699999969", StatusCode.PermissionDenied, "30 s")]
    public async Task A_call_with_another_token_or_none_is_refused_whatever_its_kind(string? authorization, StatusCode expected, string why)
    {
        var headers = new Metadata();
        if (authorization is not null)
        {
            headers.Add("authorization", string.Format(CultureInfo.InvariantCulture, authorization, Hmac("1700000000"), "1700000000", Hmac("now"), Hmac("1699999969")));
        }

        await AssertRefusedAsync(expected, why, _channel!.CreateCallInvoker(), headers);
    }

    [Fact]
    public async Task A_token_of_another_secret_or_of_half_a_minute_ago_is_PermissionDenied_whatever_the_kind_of_call()
    {
        await AssertRefusedAsync(StatusCode.PermissionDenied, "secret", _channel!.Intercept(new GitalyTokenClientInterceptor("wrong", _time)), []);
        var old = GitalyToken.Create("secret", _time.GetUtcNow());
        _time.Advance(TimeSpan.FromSeconds(31));
        await AssertRefusedAsync(StatusCode.PermissionDenied, "30 s", _channel!.CreateCallInvoker(), new Metadata { { "authorization", $"Bearer {old}" } });
    }

    [Fact]
    public async Task The_scheme_may_be_written_in_any_case()
    {
        var token = GitalyToken.Create("secret", _time.GetUtcNow());

        await new Tester.TesterClient(_channel).UnaryAsync(new Request(), new Metadata { { "authorization", $"bearer {token}" } }).ResponseAsync.Guarded();
    }

    private Tester.TesterClient Tester(Interceptor interceptor) => new(_channel!.Intercept(interceptor));

    private static string Hmac(string time) => Convert.ToHexStringLower(HMACSHA256.HashData("secret"u8, Encoding.ASCII.GetBytes(time)));

    private static async Task AssertRefusedAsync(StatusCode expected, string why, CallInvoker invoker, Metadata headers)
    {
        var tester = new Tester.TesterClient(invoker);
        using var download = tester.ServerStream(new Request { Count = 1 }, headers);
        using var upload = tester.ClientStream(headers);
        using var duplex = tester.Duplex(headers);
        foreach (var call in (Func<Task>[])
        [
            () => tester.UnaryAsync(new Request(), headers).ResponseAsync,
            () => Task.Run(() => tester.Unary(new Request(), headers)),
            () => download.ResponseStream.MoveNext(),
            () => upload.ResponseAsync,
            () => duplex.ResponseStream.MoveNext(),
        ])
        {
            var failure = await Assert.ThrowsAsync<RpcException>(() => call().Guarded());
            Assert.Equal(expected, failure.StatusCode);
            Assert.Contains(why, failure.Status.Detail, StringComparison.Ordinal);
        }
    }
}
