using Yamux;

namespace Interop.Tests.JavaScript;

/// <summary>The yamux libraries of npm that peers/js plays.</summary>
public enum Library
{
    /// <summary>@chainsafe/libp2p-yamux.</summary>
    Libp2p,

    /// <summary>yamux-js. It is given whole frames, unless a test says otherwise: those that come in pieces it loses.</summary>
    YamuxJs,
}

internal static class Libraries
{
    /// <summary>Each of them, met in each role of ours.</summary>
    public static TheoryData<Library, YamuxRole> InBothRoles { get; } =
        new MatrixTheoryData<Library, YamuxRole>([Library.Libp2p, Library.YamuxJs], [YamuxRole.Client, YamuxRole.Server]);

    /// <summary>What peer.js calls it.</summary>
    public static string Name(this Library library) => library == Library.Libp2p ? "libp2p" : "yamux-js";
}
