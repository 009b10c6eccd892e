namespace Yamux.IO;

/// <content>Who waits while too much is queued: Data, and beyond twice its bound the frames of further streams.</content>
internal sealed partial class FrameWriter
{
    /// <summary>
    /// How many bytes may wait behind a flush before no further stream is opened or accepted. Data never brings it that far,
    /// so it does not keep streams waiting; control frames do, and a peer that reads nothing provokes them with every stream.
    /// </summary>
    public const int MaxBacklogForStreams = 2 * MaxBacklog;

    private TaskCompletionSource? _room;

    /// <summary>Whether the frames of one more stream may be queued at once.</summary>
    public bool HasRoom
    {
        get
        {
            lock (_gate)
            {
                return _stopped || _backlog.Length < MaxBacklogForStreams;
            }
        }
    }

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
            if (_stopped || _backlog.Length < MaxBacklogForStreams)
            {
                return null;
            }

            _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _room.Task;
        }
    }

    private void WakeBlockedUnsynchronized()
    {
        while (_blocked.TryDequeue(out var writable))
        {
            writable.IsQueued = false;
            writable.Set();
        }

        if (_stopped || _backlog.Length < MaxBacklogForStreams)
        {
            _room?.TrySetResult();
            _room = null;
        }
    }
}
