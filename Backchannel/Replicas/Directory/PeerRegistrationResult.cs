namespace Backchannel;

/// <summary>Whether a record was written.</summary>
public enum PeerRegistrationResult
{
    /// <summary>It is there.</summary>
    Registered,

    /// <summary>The same instance has a record with a larger generation: this one is not there.</summary>
    Superseded,

    /// <summary>Another instance has the name, and it was to be written only where none has: it is not there.</summary>
    NameInUse,

    /// <summary><see cref="BackchannelDirectory.MaxRecordsPerName"/> others are there: it is not.</summary>
    TooMany,
}
