namespace Yamux.Tests.Fuzzing;

/// <summary>What the peer has said about one stream.</summary>
internal sealed class ReceivedStream
{
    public List<byte> Content { get; } = [];

    public long Credit { get; set; } = 262_144;

    public bool IsOpen { get; set; }

    public bool HasSyn { get; set; }

    public bool HasFin { get; set; }

    public bool HasRst { get; set; }
}
