namespace Backchannel.Tests.Authority;

/// <summary>What became of a call.</summary>
/// <param name="Body">The handler's answer; null if there was none.</param>
/// <param name="Reset">The code of RST_STREAM; null without one.</param>
/// <param name="GoAway">The code of GOAWAY; null without one.</param>
internal sealed record Answer(string? Body, int? Reset = null, int? GoAway = null);
