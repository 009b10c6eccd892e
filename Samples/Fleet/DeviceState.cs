namespace Fleet;

/// <summary>What a device remembers.</summary>
internal sealed class DeviceState
{
    private int _restarts;

    public int Restart() => Interlocked.Increment(ref _restarts);
}
