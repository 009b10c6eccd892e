using Backchannel;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Yamux;

namespace Sidechannel;

/// <summary>Opens sidechannels, in the handler of a call.</summary>
public static class SidechannelOpenExtensions
{
    private const string Remedy =
        "The caller's end accepts sidechannels if its options say options.UseSidechannels(registry): those of BackchannelHost.Create, if it is the client of the connection, those of"
        + " AddBackchannel, if it is the server.";

    /// <summary>
    /// Opens the sidechannel that the caller offers with this call. Dispose of it to end what is sent: also after a failure, when the status of the call tells
    /// the caller that it is not all; or abort it, and the caller's reads fail. If the call is cancelled it is aborted. A handler that returns without having disposed of
    /// it has it disposed; but in a call whose requests the client has not ended, the end of the call may look like a cancellation first.
    /// </summary>
    /// <param name="context">The call, on a multiplexed connection.</param>
    /// <exception cref="RpcException">
    /// <see cref="StatusCode.FailedPrecondition"/>: the call offers none, or its connection is not multiplexed;
    /// <see cref="StatusCode.InvalidArgument"/>: what it offers is no id.
    /// </exception>
    /// <exception cref="SidechannelException">The caller has refused it, did not answer (nothing came of it for 5 s, or it took longer than <see cref="YamuxOptions.StreamOpenTimeout"/>), or answered something else; the message says what its end may lack.</exception>
    /// <exception cref="YamuxException">The session has ended, or takes no new streams.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public static ValueTask<SidechannelStream> OpenSidechannelAsync(this ServerCallContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return OpenAsync(context, context.CancellationToken);
    }

    /// <summary>Opens the sidechannel with an id that came by other means.</summary>
    /// <param name="session">The session with the one who offers it.</param>
    /// <param name="id">The id, from 0.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentOutOfRangeException">The id is less than 0.</exception>
    /// <exception cref="SidechannelException">The caller has refused it, did not answer (nothing came of it for 5 s, or it took longer than <see cref="YamuxOptions.StreamOpenTimeout"/>), or answered something else.</exception>
    /// <exception cref="YamuxException">The session has ended, or takes no new streams.</exception>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    public static async ValueTask<SidechannelStream> OpenSidechannelAsync(this YamuxSession session, long id, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentOutOfRangeException.ThrowIfNegative(id);
        using var timeout = new CancellationTokenSource(LongestOf(session), session.GetOptions().TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        YamuxStream? stream = null;
        SilenceLimit? silence = null;
        try
        {
            stream = await session.OpenStreamAsync(either.Token).ConfigureAwait(false);
            await stream.AsStream().WriteAsync(Handshake.Hello(id), either.Token).ConfigureAwait(false);
            await stream.Acknowledged.WaitAsync(either.Token).ConfigureAwait(false);

            // Only from now on: before, it may be this end's own bytes that stand in the way of the question.
            silence = new SilenceLimit(session, Handshake.Limit, timeout);
            await ReadAnswerAsync(stream, id, either.Token).ConfigureAwait(false);
            return new HandlerStream(stream);
        }
        catch (Exception failure) when (
            (timeout.IsCancellationRequested && failure is OperationCanceledException && !cancellationToken.IsCancellationRequested)
            || failure is YamuxException { ErrorCode: YamuxErrorCode.StreamOpenTimeout })
        {
            stream?.Abort();
            throw new SidechannelException(SidechannelErrorCode.HandshakeTimeout, ExplainTimeout(session, id, stream, silence), failure);
        }
        catch (YamuxException failure) when (failure.ErrorCode == YamuxErrorCode.StreamReset)
        {
            stream?.Abort(failure);
            throw Refused(id, failure);
        }
        catch (Exception failure)
        {
            stream?.Abort(failure);
            cancellationToken.ThrowIfCancellationRequested();
            throw;
        }
        finally
        {
            silence?.Dispose();
        }
    }

    /// <summary>The same, and gives up when this token is cancelled, which is the call's or is linked to it.</summary>
    internal static async ValueTask<SidechannelStream> OpenAsync(ServerCallContext context, CancellationToken cancellationToken)
    {
        var (session, id) = FindSidechannel(context);
        var channel = await session.OpenSidechannelAsync(id, cancellationToken).ConfigureAwait(false);
        context.GetHttpContext().Response.RegisterForDisposeAsync(channel);
        ((HandlerStream)channel).AbortWith(context.CancellationToken);
        return channel;
    }

    /// <summary>What a call offers.</summary>
    /// <exception cref="RpcException">It offers none, or what is no id, or cannot.</exception>
    internal static (YamuxSession Session, long Id) FindSidechannel(ServerCallContext context)
    {
        var id = SidechannelId.Parse(context.RequestHeaders);
        var session = context.GetHttpContext().Features.Get<IYamuxStreamFeature>()?.Stream.Session
            ?? throw new RpcException(new Status(
                StatusCode.FailedPrecondition,
                "non-multiplexed connection: the client's handler needs UseBackchannel(host), and nothing between the two may end HTTP/2, for a sidechannel to be opened"));
        return (session, id);
    }

    private static async ValueTask ReadAnswerAsync(YamuxStream stream, long id, CancellationToken cancellationToken)
    {
        var answer = new byte[Handshake.Accepted.Length];
        if (await stream.AsStream().ReadAtLeastAsync(answer, answer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false) < answer.Length)
        {
            throw Refused(id, null);
        }

        if (!answer.AsSpan().SequenceEqual(Handshake.Accepted))
        {
            throw new SidechannelException(
                SidechannelErrorCode.HandshakeFailed, $"Sidechannel {id} was answered by the caller with the bytes {Convert.ToHexString(answer)} instead of \"ok\", as no registry does. {Remedy}");
        }
    }

    private static TimeSpan LongestOf(YamuxSession session)
        => session.GetOptions().StreamOpenTimeout is var limit && limit != Timeout.InfiniteTimeSpan && limit < Handshake.Longest ? limit : Handshake.Longest;

    private static string ExplainTimeout(YamuxSession session, long id, YamuxStream? stream, SilenceLimit? silence)
    {
        var limit = $"within {LongestOf(session).TotalSeconds} s (YamuxOptions.StreamOpenTimeout)";
        if (stream is null)
        {
            return $"No stream could be opened for sidechannel {id} {limit}: too many of this end's wait for the caller's acknowledgement. Open fewer at a time.";
        }

        return silence switch
        {
            null => $"The stream of sidechannel {id} was not acknowledged by the caller {limit}. {Remedy}",
            { IsOver: true } => $"Sidechannel {id} was not accepted by the caller, of whom nothing came for {Handshake.Limit.TotalSeconds} s. {Remedy}",
            _ => $"Sidechannel {id} was not accepted by the caller {limit}. {Remedy}",
        };
    }

    private static SidechannelException Refused(long id, Exception? reason) => new(
        SidechannelErrorCode.Refused, $"Sidechannel {id} was closed by the caller before it was accepted: no such id waits there for this session, or no more. {Remedy}", reason);
}
