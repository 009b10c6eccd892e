namespace Backchannel.Tests.Authority.Fuzzing;

/// <summary>A field that was read from a header block, and where the octets of its value are; these are none for a field of a table.</summary>
internal sealed record ReferenceField(string Name, string Value, int Start, int End)
{
    public bool IsHost => Name is ":authority" or "host";
}
