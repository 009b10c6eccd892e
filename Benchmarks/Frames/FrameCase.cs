namespace Benchmarks.Frames;

/// <summary>Frames of one kind, as a hostile peer would choose their ids, sizes and order.</summary>
/// <param name="Group">What the frames make this end do; those of one group are compared.</param>
/// <param name="Name">How they differ from the others of the group.</param>
/// <param name="PrepareAsync">Brings a session to where they matter, and returns what the peer then sends.</param>
internal sealed record FrameCase(string Group, string Name, Func<FrameTarget, Task<FrameBatch>> PrepareAsync);
