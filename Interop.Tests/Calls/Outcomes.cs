using Grpc.Core;
using Interop.Tests.Proto;

namespace Interop.Tests.Calls;

/// <summary>Scenarios about how calls end, and what travels beside their messages.</summary>
internal static class Outcomes
{
    /// <summary>
    /// Each sends one request and does not end what it sends, so that only the far end, a deadline or a cancellation decides
    /// how the call ends; then receives until it has.
    /// </summary>
    private static readonly Func<FarEnd.FarEndClient, Request, CallOptions, Task>[] KindsOfCall =
    [
        async (far, request, options) => await far.UnaryAsync(request, options),
        async (far, request, options) =>
        {
            using var call = far.ServerStream(request, options);
            await DrainAsync(call.ResponseStream);
        },
        async (far, request, options) =>
        {
            using var call = far.ClientStream(options);
            await call.RequestStream.WriteAsync(request);
            await call;
        },
        async (far, request, options) =>
        {
            using var call = far.Bidi(options);
            await call.RequestStream.WriteAsync(request);
            await DrainAsync(call.ResponseStream);
        },
    ];

    public static async Task<int> MetadataAsync(FarEnd.FarEndClient far, CallOptions options)
    {
        var sent = new Metadata
        {
            { "x-header-text", "one, two" },
            { "x-header-bin", new byte[] { 0, 1, 0xfe, 0xff } },
            { "x-trailer-text", "three" },
            { "x-trailer-bin", new byte[] { 0xff } },
        };
        using var call = far.UnaryAsync(new Request(), options.WithHeaders(sent));
        var headers = await call.ResponseHeadersAsync;
        await call;
        ExpectMetadata(sent, headers, "x-header-");
        ExpectMetadata(sent, call.GetTrailers(), "x-trailer-");

        // A call that fails brings its trailers too.
        var failure = await Assert.ThrowsAsync<RpcException>(
            async () => await far.UnaryAsync(new Request { StatusCode = (int)StatusCode.Aborted }, options.WithHeaders(sent)));
        Assert.Equal(StatusCode.Aborted, failure.StatusCode);
        ExpectMetadata(sent, failure.Trailers, "x-trailer-");
        return 2;
    }

    /// <summary>Every code that there is out of every kind of call, with a message that needs escaping.</summary>
    public static async Task<int> StatusesAsync(FarEnd.FarEndClient far, CallOptions options)
    {
        var calls = 0;
        for (var code = StatusCode.Cancelled; code <= StatusCode.Unauthenticated; code++)
        {
            var message = $"code {code}: 100% für dich, ✓\nnew line";
            foreach (var call in KindsOfCall)
            {
                var request = new Request { StatusCode = (int)code, StatusMessage = message, Count = 2 };
                var failure = await Assert.ThrowsAsync<RpcException>(() => call(far, request, options));
                Assert.Equal((code, message), (failure.StatusCode, failure.Status.Detail));
                calls++;
            }
        }

        return calls;
    }

    public static async Task<int> DeadlinesAsync(FarEnd.FarEndClient far, CallOptions options)
    {
        foreach (var call in KindsOfCall)
        {
            var key = NewKey();
            var limited = options.WithDeadline(DateTime.UtcNow.AddSeconds(1));
            var failure = await Assert.ThrowsAsync<RpcException>(() => call(far, new Request { Hang = true, Key = key }, limited));
            Assert.Equal(StatusCode.DeadlineExceeded, failure.StatusCode);
            var end = await far.AwaitEndAsync(new Key { Key_ = key }, options);
            Assert.Equal(new End { Cancelled = true, HadDeadline = true }, end);
        }

        return KindsOfCall.Length;
    }

    public static async Task<int> CancellationAsync(FarEnd.FarEndClient far, CallOptions options)
    {
        foreach (var call in KindsOfCall)
        {
            var key = NewKey();
            using var source = CancellationTokenSource.CreateLinkedTokenSource(options.CancellationToken);
            var cancelled = call(far, new Request { Hang = true, Key = key, Count = 1 }, options.WithCancellationToken(source.Token));
            await far.AwaitStartAsync(new Key { Key_ = key }, options);
            await source.CancelAsync();

            var failure = await Assert.ThrowsAsync<RpcException>(() => cancelled);
            Assert.Equal(StatusCode.Cancelled, failure.StatusCode);
            var end = await far.AwaitEndAsync(new Key { Key_ = key }, options);
            Assert.Equal(new End { Cancelled = true, HadDeadline = false }, end);
        }

        return KindsOfCall.Length;
    }

    public static string NewKey() => Guid.NewGuid().ToString("n");

    private static async Task DrainAsync(IAsyncStreamReader<Response> responses)
    {
        while (await responses.MoveNext())
        {
        }
    }

    private static void ExpectMetadata(Metadata sent, Metadata got, string prefix)
    {
        foreach (var entry in sent.Where(entry => entry.Key.StartsWith(prefix, StringComparison.Ordinal)))
        {
            Assert.Equal(entry.ValueBytes, got.GetValueBytes(entry.Key) ?? Assert.Single(got.GetAll(entry.Key)).ValueBytes);
        }
    }
}
