namespace Conformance.CommandLine;

/// <summary>Which end of a yamux session one plays. Who dials may be either.</summary>
internal enum PlayedRole
{
    Client,
    Server,
}
