using System.Security.Cryptography;
using Google.Protobuf;
using Grpc.Core;
using Interop.Tests.Proto;

namespace Interop.Tests.Calls;

/// <summary>
/// What one end asks of the other: calls of each kind, with each message size, each status, metadata, deadlines and
/// cancellation. The Go peers have the same under the same names. A scenario fails as an assertion, returns the number of its calls.
/// </summary>
internal static class Scenarios
{
    private static readonly int[] MessageSizes = [0, 1, 64 * 1024, 3 * 1024 * 1024];

    public static async Task<int> RunAsync(FarEnd.FarEndClient far, CallBackRequest request, CallOptions options) => request.Scenario switch
    {
        "unary" => await UnaryAsync(far, options),
        "server-streaming" => await ServerStreamingAsync(far, options),
        "client-streaming" => await ClientStreamingAsync(far, options),
        "bidirectional" => await BidirectionalAsync(far, options),
        "mixed" => await MixedAsync(far, options),
        "metadata" => await Outcomes.MetadataAsync(far, options),
        "statuses" => await Outcomes.StatusesAsync(far, options),
        "deadlines" => await Outcomes.DeadlinesAsync(far, options),
        "cancellation" => await Outcomes.CancellationAsync(far, options),
        "hang" => await HangAsync(far, request.Key, options),
        "nested" => await NestedAsync(far, request.Depth, options),
        _ => throw new RpcException(new Status(StatusCode.Unimplemented, $"no scenario {request.Scenario}")),
    };

    /// <summary>All kinds under way at once on the one connection.</summary>
    private static async Task<int> MixedAsync(FarEnd.FarEndClient far, CallOptions options)
    {
        var calls = await Task.WhenAll(
            UnaryAsync(far, options), ServerStreamingAsync(far, options), ClientStreamingAsync(far, options), BidirectionalAsync(far, options));
        return calls.Sum();
    }

    private static async Task<int> UnaryAsync(FarEnd.FarEndClient far, CallOptions options)
    {
        foreach (var size in MessageSizes)
        {
            var payload = RandomBytes(size);
            var reply = await far.UnaryAsync(new Request { Payload = payload }, options);
            Assert.True(payload.Equals(reply.Payload), $"{size} bytes came back changed");
        }

        return MessageSizes.Length;
    }

    private static async Task<int> ServerStreamingAsync(FarEnd.FarEndClient far, CallOptions options)
    {
        foreach (var size in MessageSizes)
        {
            var payload = RandomBytes(size);
            using var call = far.ServerStream(new Request { Payload = payload, Count = 3 }, options);
            for (var i = 0; i < 3; i++)
            {
                await ExpectResponseAsync(call.ResponseStream, payload, i);
            }

            Assert.False(await call.ResponseStream.MoveNext());
        }

        return MessageSizes.Length;
    }

    private static async Task<int> ClientStreamingAsync(FarEnd.FarEndClient far, CallOptions options)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var call = far.ClientStream(options);
        foreach (var size in MessageSizes)
        {
            var payload = RandomBytes(size);
            hash.AppendData(payload.Span);
            await call.RequestStream.WriteAsync(new Request { Payload = payload });
        }

        await call.RequestStream.CompleteAsync();
        var reply = await call;
        Assert.Equal(MessageSizes.Length, reply.Index);
        Assert.Equal(hash.GetHashAndReset(), reply.Digest.ToByteArray());
        return 1;
    }

    private static async Task<int> BidirectionalAsync(FarEnd.FarEndClient far, CallOptions options)
    {
        using var call = far.Bidi(options);
        for (var i = 0; i < MessageSizes.Length; i++)
        {
            var payload = RandomBytes(MessageSizes[i]);
            await call.RequestStream.WriteAsync(new Request { Payload = payload });
            await ExpectResponseAsync(call.ResponseStream, payload, i);
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext());
        return 1;
    }

    private static async Task<int> HangAsync(FarEnd.FarEndClient far, string key, CallOptions options)
    {
        await far.UnaryAsync(new Request { Hang = true, Key = key }, options);
        return 1;
    }

    private static async Task<int> NestedAsync(FarEnd.FarEndClient far, int depth, CallOptions options)
    {
        if (depth == 0)
        {
            return await UnaryAsync(far, options);
        }

        var reply = await far.CallBackAsync(new CallBackRequest { Scenario = "nested", Depth = depth - 1 }, options);
        return reply.Calls + 1;
    }

    private static async Task ExpectResponseAsync(IAsyncStreamReader<Response> responses, ByteString payload, int index)
    {
        Assert.True(await responses.MoveNext());
        Assert.Equal(index, responses.Current.Index);
        Assert.True(payload.Equals(responses.Current.Payload), $"message {index} of {payload.Length} bytes came back changed");
    }

    private static ByteString RandomBytes(int size)
    {
        var bytes = new byte[size];
        Random.Shared.NextBytes(bytes);
        return UnsafeByteOperations.UnsafeWrap(bytes);
    }
}
