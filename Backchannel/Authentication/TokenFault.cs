namespace Backchannel;

/// <summary>Why a token lets nobody in; the first that applies, in the order in which Gitaly looks.</summary>
internal enum TokenFault
{
    /// <summary>It does.</summary>
    None,

    /// <summary>It has not three parts, or the second is no hexadecimal number: no token at all.</summary>
    Malformed,

    /// <summary>It is of another version than <c>v2</c>, whatever it proves there.</summary>
    Version,

    /// <summary>It was made with another secret, or changed since.</summary>
    Signature,

    /// <summary>It was made with the secret, but for what is no time.</summary>
    Time,

    /// <summary>Its time is further from the verifier's than is tolerated.</summary>
    Expired,
}
