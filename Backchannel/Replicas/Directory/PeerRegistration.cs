namespace Backchannel;

/// <summary>What became of a registration.</summary>
/// <param name="Result">Whether it was written.</param>
/// <param name="Generation">The record's generation, if it was.</param>
/// <param name="NewestGeneration">The largest generation of the name, if it was: larger than <paramref name="Generation"/> if a newer one is attached elsewhere.</param>
public readonly record struct PeerRegistration(PeerRegistrationResult Result, long Generation = 0, long NewestGeneration = 0);
