namespace Conformance.Running;

/// <summary>How much a case asks, in the words of RFC 2119. Only a MUST that fails makes the whole run fail.</summary>
internal enum Requirement
{
    /// <summary>A peer that does otherwise loses data, ends sessions or endangers its host.</summary>
    Must,

    /// <summary>What a careful implementation does; without it a session works worse.</summary>
    Should,

    /// <summary>Allowed either way; the case shows which.</summary>
    May,
}
