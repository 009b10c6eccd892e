namespace Yamux.Tests.Model;

/// <summary>How a sequence ends when its steps are done.</summary>
internal enum Ending
{
    /// <summary>Every stream is closed and read to its end, then both sessions are disposed.</summary>
    Orderly,

    /// <summary>The client is disposed, whatever its streams do, then the server.</summary>
    Disposed,

    /// <summary>Both sessions are aborted.</summary>
    Aborted,

    /// <summary>The connection fails.</summary>
    Killed,
}
