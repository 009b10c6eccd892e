namespace BackchannelAgent1;

/// <summary>What the agent remembers from call to call: a service is made for each.</summary>
internal sealed class DeviceState
{
    private int _restarts;

    public int Restart() => Interlocked.Increment(ref _restarts);
}
