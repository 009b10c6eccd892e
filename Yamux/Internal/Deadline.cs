namespace Yamux.Internal;

/// <summary>Until when a peer must have answered. Deadlines that lie the same time ahead stand in one list, of which the oldest is the first due: no stream needs a timer of its own.</summary>
/// <param name="Stream">The stream that waits.</param>
/// <param name="At">As a timestamp of the session's clock.</param>
internal readonly record struct Deadline(YamuxStream Stream, long At);
