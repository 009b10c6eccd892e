namespace Yamux.Tests.Model;

/// <summary>A stream, from the SYN on.</summary>
internal sealed class StreamModel
{
    private readonly StreamSide _client;
    private readonly StreamSide _server;

    public StreamModel(uint id)
    {
        Id = id;
        _client = new StreamSide(this, Side.Client);
        _server = new StreamSide(this, Side.Server);
    }

    public uint Id { get; }

    public Side Opener => Id % 2 == 1 ? Side.Client : Side.Server;

    public StreamSide this[Side side] => side == Side.Client ? _client : _server;
}
