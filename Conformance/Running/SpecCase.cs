namespace Conformance.Running;

/// <summary>One thing that a yamux peer must, should or may do.</summary>
/// <param name="Id">Its group and its number there: <c>open.3</c>. Numbers are never given to another case.</param>
/// <param name="Sentence">What the peer does, in one sentence.</param>
/// <param name="Source">Where that comes from: the section of the spec, or the peer whose behaviour sets it.</param>
/// <param name="Run">Plays the case on a fresh connection.</param>
internal sealed record SpecCase(string Id, Requirement Requirement, string Sentence, string Source, Func<TestedPeer, Task> Run)
{
    /// <summary>What the case is where a family of implementations legitimately does otherwise.</summary>
    public IReadOnlyDictionary<Profile, Variant> Variants { get; init; } = new Dictionary<Profile, Variant>();

    /// <summary>Takes longer than <c>--timeout</c> by its nature, for it waits for a timer of the target's.</summary>
    public bool IsSlow { get; init; }

    /// <summary>Keeps the target busy for long, so it comes last of all and has the target to itself.</summary>
    public bool IsHeavy { get; init; }

    public string Group => Id[..Id.IndexOf('.')];

    public SpecCase In(Profile profile, string sentence, Func<TestedPeer, Task> run)
        => this with { Variants = new Dictionary<Profile, Variant>(Variants) { [profile] = new(sentence, run) } };

    /// <summary>The case as <paramref name="profile"/> has it.</summary>
    public SpecCase For(Profile profile)
        => Variants.TryGetValue(profile, out var variant) ? this with { Sentence = variant.Sentence, Run = variant.Run } : this;

    /// <summary>What a family does instead.</summary>
    internal sealed record Variant(string Sentence, Func<TestedPeer, Task> Run);
}
