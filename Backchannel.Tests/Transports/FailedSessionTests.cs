using Backchannel.Tests.Kit;
using Backchannel.Tests.Transports.Kit;
using Xunit;
using Yamux;
using Yamux.Tests.Kit;
using Guard = Backchannel.Tests.Kit.Guard;

namespace Backchannel.Tests.Transports;

/// <summary>A session that has failed lets go of its socket by itself: the peer need not read, or close its own.</summary>
public class FailedSessionTests
{
    public static TheoryData<TransportKind, YamuxRole, Failure> Cases
        => [.. from kind in Enum.GetValues<TransportKind>() from role in Enum.GetValues<YamuxRole>() from failure in Enum.GetValues<Failure>() select (kind, role, failure)];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Its_socket_is_closed_and_the_peer_sees_it(TransportKind kind, YamuxRole role, Failure failure)
    {
        await using var pair = await TransportPair.ConnectAsync(kind, role, options => options.EnableKeepAlive = failure == Failure.KeepAliveTimeout);
        var write = failure is Failure.KeepAliveTimeout or Failure.ProtocolError ? null : await WriteUnreadAsync(pair);

        await FailAsync(pair, failure);
        await pair.AdvanceUntilAsync(pair.Near.Completion);

        await pair.ExpectSocketClosedAsync();
        var code = ExpectedCode(failure);
        Assert.Equal(code, (await Assert.ThrowsAsync<YamuxException>(() => pair.Near.Completion)).ErrorCode);
        if (write is not null)
        {
            Assert.Equal(code, (await Assert.ThrowsAsync<YamuxException>(() => write.Guarded())).ErrorCode);
        }
    }

    // More than fits into all buffers on the way; the peer reads none of it.
    private static async Task<Task> WriteUnreadAsync(TransportPair pair)
    {
        const int Size = 32 * 1024 * 1024;
        var stream = await pair.Near.OpenStreamAsync();
        await pair.Far.WriteAsync(Frame.Ack(pair.FirstId, Size).ToBytes());
        await stream.Acknowledged.Guarded();
        return stream.Output.WriteAsync(new byte[Size]).AsTask();
    }

    private static async Task FailAsync(TransportPair pair, Failure failure)
    {
        switch (failure)
        {
            case Failure.ProtocolError:
                await pair.Far.WriteAsync((Frame.Ping(1) with { Version = 1 }).ToBytes());
                var lastWord = new byte[Frame.HeaderSize];
                await pair.Far.ReadExactlyAsync(lastWord).AsTask().Guarded();
                Assert.Equal(Frame.GoAway(1), Frame.Parse(lastWord));
                break;
            case Failure.ProtocolErrorUnread:
                await pair.Far.WriteAsync((Frame.Ping(1) with { Version = 1 }).ToBytes());
                Assert.Equal(YamuxErrorCode.ProtocolError, (await Assert.ThrowsAsync<YamuxException>(() => pair.Near.AcceptStreamAsync().Guarded())).ErrorCode);
                break;
            case Failure.AbortUnread:
                pair.Near.Abort(new InvalidOperationException("enough"));
                break;
        }
    }

    private static YamuxErrorCode ExpectedCode(Failure failure) => failure switch
    {
        Failure.WriteTimeout => YamuxErrorCode.ConnectionWriteTimeout,
        Failure.KeepAliveTimeout => YamuxErrorCode.KeepAliveTimeout,
        Failure.AbortUnread => YamuxErrorCode.SessionClosed,
        _ => YamuxErrorCode.ProtocolError,
    };
}
