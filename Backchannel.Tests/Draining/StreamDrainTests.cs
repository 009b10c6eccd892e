using System.Buffers.Binary;
using System.Text;
using Backchannel.Tests.Authority;
using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Google.Protobuf;
using ListenMux;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Time.Testing;
using Sidechannel;
using Xunit;
using Yamux;

namespace Backchannel.Tests.Draining;

/// <summary>Streams that are no HTTP/2 connections, while their connection drains: calls that run may need them.</summary>
public class StreamDrainTests
{
    [Fact]
    public async Task A_stream_that_a_running_call_of_the_clients_opens_is_served_while_the_server_stops()
    {
        await using var server = await TestServer.StartAsync(options: options => options.ConfigureStreams = streams => streams.UseListenMux(mux => mux.Map(
            "hello there"u8,
            async (connection, _) =>
            {
                await connection.Transport.Input.CopyToAsync(connection.Transport.Output);
                await connection.Transport.Output.CompleteAsync();
            })));
        await using var client = new RawClient(server);
        var http = new RawHttp2(await client.First.Guarded());
        await http.SendAsync(Http2Frames.Opening, Call(new Request { Hang = true }));
        await server.State.Hanging.Guarded();

        var stopping = server.StopAsync();
        await Guard.Until(() => server.Registry.Count == 0, "the connection drains");
        var stream = await client.Session.OpenStreamAsync().Guarded();
        await stream.AsStream().WriteAsync("hello there, echo"u8.ToArray());
        await stream.Output.CompleteAsync();
        using var reader = new StreamReader(stream.AsStream(), Encoding.ASCII);

        Assert.Equal(", echo", await reader.ReadToEndAsync().Guarded());
        Assert.False(stopping.IsCompleted);
        server.State.LetGo();
        await client.DisposeAsync();
        await stopping.Guarded();
    }

    [Theory]
    [InlineData("P")]
    [InlineData("PRI * HTTP/2.")]
    public async Task A_stream_that_has_not_said_what_it_is_hears_that_the_server_stops(string said)
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new RawClient(server);
        await (await client.First.Guarded()).Output.WriteAsync(Http2Frames.Opening);
        var stream = await client.Session.OpenStreamAsync().Guarded();
        await stream.Output.WriteAsync(Encoding.ASCII.GetBytes(said));
        await stream.Acknowledged.Guarded();

        var stopping = server.StopAsync();

        Assert.Equal(0, (await new RawHttp2(stream).AnswersAsync()).GoAway);
        await client.DisposeAsync();
        await stopping.Guarded();
    }

    [Fact]
    public async Task A_sidechannel_in_the_middle_of_its_handshake_is_not_cut_when_the_client_stops()
    {
        var registry = new SidechannelRegistry();
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await TestServer.StartAsync();
        await using var client = NewClient(server, registry, asked);
        var calls = await CallsBothWays.StartAsync(server, client);
        await using var waiter = registry.Register((channel, ct) => channel.WriteAsync("offered"u8.ToArray(), ct).AsTask());
        await using var stream = await calls.Peer.Session.OpenStreamAsync().Guarded();
        await stream.AsStream().WriteAsync("side"u8.ToArray());
        await asked.Task.Guarded();

        var stopping = client.Host.StopAsync(TestContext.Current.CancellationToken);
        await calls.UntilTheClientRefusesAsync("the client is stopping");
        await calls.EndToClientAsync();
        var rest = new byte[15];
        "channel"u8.CopyTo(rest);
        BinaryPrimitives.WriteInt64BigEndian(rest.AsSpan(7), waiter.Id);
        await stream.AsStream().WriteAsync(rest);
        var ok = new byte[2];
        await stream.AsStream().ReadExactlyAsync(ok).Guarded();

        Assert.Equal("ok"u8.ToArray(), ok);
        await stream.DisposeAsync().Guarded();
        await calls.EndToServerAsync();
        await stopping.Guarded();
    }

    [Fact]
    public async Task A_stream_that_says_nothing_does_not_hold_up_a_client_that_stops()
    {
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await TestServer.StartAsync();
        await using var client = NewClient(server, new SidechannelRegistry(), asked);
        var calls = await CallsBothWays.StartAsync(server, client);
        await using var stream = await calls.Peer.Session.OpenStreamAsync().Guarded();
        await stream.AsStream().WriteAsync("side"u8.ToArray());
        await asked.Task.Guarded();

        var stopping = client.Host.StopAsync(TestContext.Current.CancellationToken);
        await calls.EndToServerAsync();
        await calls.EndToClientAsync();

        await stopping.Guarded();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_stream_that_ends_its_own_host_does_not_wait_for_itself(bool dispose)
    {
        var returned = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var registry = new SidechannelRegistry();
        await using var server = await TestServer.StartAsync();
        TestClient? client = null;
        await using var waiter = registry.Register(async (_, _) =>
        {
            await (dispose ? client!.Host.DisposeAsync().AsTask() : client!.Host.StopAsync(CancellationToken.None));
            returned.SetResult();
        });
        client = new TestClient(server, options: options => options.UseSidechannels(registry));
        await using (client)
        {
            await client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded();
            var peer = Assert.Single(server.Registry.Peers);

            await using (await peer.Session.OpenSidechannelAsync(waiter.Id).Guarded())
            {
                await returned.Task.Guarded();
            }
        }
    }

    [Fact]
    public async Task A_stream_may_ask_for_the_end_of_its_connection()
    {
        await using var server = await TestServer.StartAsync(options: options => options.ConfigureStreams = streams => streams.Use(_ => connection =>
        {
            connection.Features.Get<IConnectionLifetimeNotificationFeature>()!.RequestClose();
            return Task.CompletedTask;
        }));
        await using var client = new RawClient(server);
        await (await client.First.Guarded()).Output.WriteAsync(Http2Frames.Opening);
        await Guard.Until(() => server.Registry.Count == 1, "the client is a peer");

        await (await client.Session.OpenStreamAsync().Guarded()).Output.WriteAsync(new byte[1]);

        await Guard.Until(() => server.Registry.Count == 0, "the connection drains");
    }

    [Fact]
    public async Task A_stream_is_not_asked_to_close_because_its_clients_own_calls_have_ended_while_one_to_it_runs()
    {
        var asked = false;
        await using var server = await TestServer.StartAsync(options: options => options.ConfigureStreams = streams => streams.Use(_ => async connection =>
        {
            var closing = connection.Features.Get<IConnectionLifetimeNotificationFeature>()!.ConnectionClosedRequested;
            await using var registration = closing.Register(() => asked = true);
            await connection.Transport.Input.CopyToAsync(connection.Transport.Output);
            await connection.Transport.Output.CompleteAsync();
        }));
        await using var client = new RawClient(server);
        var first = await client.First.Guarded();
        await first.Output.WriteAsync(Http2Frames.Opening);
        await Guard.Until(() => server.Registry.Count == 1, "the client is a peer");
        var call = new Tester.TesterClient(server.Registry.Peers.Single().Invoker).UnaryAsync(new Request()).ResponseAsync;
        var called = (await client.Session.AcceptStreamAsync().Guarded())!;
        await using var stream = await client.Session.OpenStreamAsync().Guarded();
        await stream.AsStream().WriteAsync("?"u8.ToArray());
        await stream.AsStream().ReadExactlyAsync(new byte[1]).AsTask().Guarded();

        await first.Output.CompleteAsync().Guarded();
        await EndAsync(first).Guarded();
        await stream.Output.CompleteAsync().Guarded();
        await EndAsync(stream).Guarded();
        called.Abort();

        await CallsBothWays.AssertUnavailableAsync(call);
        await Guard.Until(() => server.ConnectionCount == 0, "the connection ends");
        Assert.False(asked);
    }

    [Fact]
    public async Task What_a_stream_of_a_client_does_when_it_is_asked_to_close_may_fail_and_the_others_are_asked_none_the_less()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server, options: options => options.AddStreams(FailWhenAskedToClose));
        var calls = await CallsBothWays.StartAsync(server, client);
        await OpenTwoAsync(calls.Peer.Session);

        var stopping = client.Host.StopAsync(TestContext.Current.CancellationToken);
        await calls.EndToServerAsync();
        await calls.EndToClientAsync();

        await stopping.Guarded(); // Which waits for both.
        await Guard.Until(
            () => client.Log.Lines.Count(line => line.Event.Name == "ClosingFailed" && line.Message.Contains("middleware's own fault", StringComparison.Ordinal)) == 2, "both failures are logged");
    }

    [Fact]
    public async Task What_a_stream_of_a_server_does_when_it_is_asked_to_close_may_fail_and_the_others_are_asked_none_the_less()
    {
        await using var server = await TestServer.StartAsync(options: options => options.ConfigureStreams = FailWhenAskedToClose);
        await using var client = new RawClient(server);
        await (await client.First.Guarded()).Output.WriteAsync(Http2Frames.Opening);
        var streams = await OpenTwoAsync(client.Session);

        var stopping = server.StopAsync(TestContext.Current.CancellationToken);

        Assert.All(await Task.WhenAll(streams.Select(EndAsync)).Guarded(), end => Assert.Equal("asked", end));
        await client.DisposeAsync();
        await stopping.Guarded();
        await Guard.Until(
            () => server.Log.Lines.Any(line => line.Event.Name == "ClosingFailed" && line.Message.Contains("(middleware's own fault) (middleware's own fault)", StringComparison.Ordinal)),
            "both failures are logged");
    }

    [Fact]
    public async Task What_a_stream_does_when_it_is_asked_to_close_may_take_its_time_and_holds_up_no_server()
    {
        using var release = new ManualResetEventSlim();
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await TestServer.StartAsync(options: options => options.ConfigureStreams = streams => streams.Use(_ => async connection =>
        {
            connection.Features.Get<IConnectionLifetimeNotificationFeature>()!.ConnectionClosedRequested.Register(() =>
            {
                asked.SetResult();
                release.Wait();
            });
            await connection.Transport.Input.CopyToAsync(connection.Transport.Output);
        }));
        await using var client = new RawClient(server);
        await (await client.First.Guarded()).Output.WriteAsync(Http2Frames.Opening);
        var stream = await client.Session.OpenStreamAsync().Guarded();
        await stream.AsStream().WriteAsync("?"u8.ToArray());
        await stream.AsStream().ReadExactlyAsync(new byte[1]).AsTask().Guarded();

        var stopping = server.StopAsync(TestContext.Current.CancellationToken);
        await asked.Task.Guarded();
        await client.DisposeAsync();
        await stopping.Guarded();
        release.Set();
    }

    [Fact]
    public async Task A_stream_that_does_not_say_what_it_is_is_given_up_at_the_handshakes_timeout()
    {
        var time = new FakeTimeProvider();
        await using var server = await TestServer.StartAsync(options: options =>
        {
            options.Yamux.TimeProvider = time;
            options.Yamux.EnableKeepAlive = false;
            options.Yamux.ConnectionWriteTimeout = TimeSpan.FromDays(1); // The session's own limits stay out of it.
            options.HandshakeTimeout = TimeSpan.FromSeconds(7);
        });
        await using var client = new RawClient(server);
        await (await client.First.Guarded()).Output.WriteAsync(Http2Frames.Opening);
        var stream = await client.Session.OpenStreamAsync().Guarded();
        await stream.Output.WriteAsync("PRI"u8.ToArray());
        await stream.Acknowledged.Guarded();
        var reading = stream.Input.ReadAsync().AsTask();

        await Guard.Until(() =>
        {
            time.Advance(TimeSpan.FromSeconds(7));
            return reading.IsCompleted;
        }, "it is given up");

        Assert.Equal(YamuxErrorCode.StreamReset, (await Assert.ThrowsAsync<YamuxException>(() => reading)).ErrorCode);
        Assert.False(client.Session.Completion.IsCompleted);
    }

    // Middleware that says when it is asked to close, and fails at it.
    private static void FailWhenAskedToClose(IConnectionBuilder streams) => streams.Use(next => async connection =>
    {
        var read = await connection.Transport.Input.ReadAtLeastAsync(1);
        var isOurs = read.Buffer.FirstSpan[0] == '?';
        connection.Transport.Input.AdvanceTo(read.Buffer.Start);
        if (!isOurs)
        {
            await next(connection);
            return;
        }

        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = connection.Features.Get<IConnectionLifetimeNotificationFeature>()!.ConnectionClosedRequested.Register(() =>
        {
            asked.SetResult();
            throw new InvalidOperationException("middleware's own fault");
        });
        await connection.Transport.Output.WriteAsync("!"u8.ToArray());
        await asked.Task;
        await connection.Transport.Output.WriteAsync("asked"u8.ToArray());
        await connection.Transport.Output.CompleteAsync();
    });

    // Two of those, which have said that they are there.
    private static async Task<YamuxStream[]> OpenTwoAsync(YamuxSession session)
    {
        YamuxStream[] streams = [await session.OpenStreamAsync().Guarded(), await session.OpenStreamAsync().Guarded()];
        foreach (var stream in streams)
        {
            await stream.AsStream().WriteAsync("?"u8.ToArray());
            await stream.AsStream().ReadExactlyAsync(new byte[1]).AsTask().Guarded();
        }

        return streams;
    }

    private static async Task<string> EndAsync(YamuxStream stream)
    {
        using var reader = new StreamReader(stream.AsStream(), Encoding.ASCII);
        return await reader.ReadToEndAsync();
    }

    // A client whose sidechannels are told of when they have said as much as here.
    private static TestClient NewClient(TestServer server, SidechannelRegistry registry, TaskCompletionSource asked) => new(server, options: options =>
    {
        options.AddStreams(streams => streams.Use(next => async connection =>
        {
            var read = await connection.Transport.Input.ReadAtLeastAsync("side".Length);
            var isOurs = read.Buffer.Length == "side".Length;
            connection.Transport.Input.AdvanceTo(read.Buffer.Start, isOurs ? read.Buffer.End : read.Buffer.Start);
            var serving = next(connection);
            if (isOurs)
            {
                asked.SetResult();
            }

            await serving;
        }));
        options.UseSidechannels(registry);
    });

    private static byte[] Call(Request request)
    {
        var block = new HpackWriter().Field(HpackWriter.Post).Field(HpackWriter.Http)
            .Literal(HpackWriter.Path, $"/{Tester.Descriptor.FullName}/Unary", Indexing.Without, isHuffman: false)
            .Literal("content-type", "application/grpc", Indexing.Without, isHuffman: false)
            .Literal("te", "trailers", Indexing.Without, isHuffman: false);
        var message = new byte[5 + request.CalculateSize()];
        message[4] = (byte)request.CalculateSize();
        request.ToByteArray().CopyTo(message, 5);
        return [.. Http2Frames.Frame(Http2Frames.Headers, Http2Frames.EndHeaders, 1, block.ToArray()), .. Http2Frames.Frame(Http2Frames.Data, Http2Frames.EndStream, 1, message)];
    }
}
