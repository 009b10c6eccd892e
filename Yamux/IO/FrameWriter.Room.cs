namespace Yamux.IO;

/// <content>Who waits while too much is queued: bulk, and beyond that the frames of further streams.</content>
internal sealed partial class FrameWriter
{
    /// <summary>
    /// How many bytes may wait behind a flush before no further stream is opened or accepted. Data never brings it that far,
    /// so it does not keep streams waiting; control frames do, and a peer that reads nothing provokes them with every stream.
    /// </summary>
    public const int MaxWaitingForStreams = 256 * 1024;

    private TaskCompletionSource? _room;

    /// <summary>Whether the frames of one more stream may be queued at once.</summary>
    public bool HasRoom => FullUntil() is null;

    // For bulk; what is urgent leaves before it anyway.
    private int RoomUnsynchronized => _pace.MaxWaiting - _bulk.Waiting;

    private bool HasRoomUnsynchronized => _end != WriterEnd.None || WaitingUnsynchronized < MaxWaitingForStreams;

    private bool HasBulkUnsynchronized => _bulk.Taken + _bulk.Waiting > 0;

    private int WaitingUnsynchronized => _urgent.Waiting + _bulk.Waiting;

    /// <summary>Waits until there is room for the frames of one more stream. Once the session has ended there is nothing to wait for.</summary>
    public async ValueTask WaitForRoomAsync(CancellationToken cancellationToken)
    {
        while (FullUntil() is { } room)
        {
            await room.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private Task? FullUntil()
    {
        lock (_gate)
        {
            if (HasRoomUnsynchronized)
            {
                return null;
            }

            _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _room.Task;
        }
    }

    private void LeaveUnsynchronized(ref SendTurn turn)
    {
        if (turn.IsTaken)
        {
            _turns.Leave(ref turn);
            _turns.Promise(RoomUnsynchronized);
        }
    }

    private void WakeUnsynchronized()
    {
        _turns.Promise(_end == WriterEnd.None ? RoomUnsynchronized : long.MaxValue);
        if (HasRoomUnsynchronized)
        {
            _room?.TrySetResult();
            _room = null;
        }
    }
}
