using Microsoft.Extensions.Logging;
using Yamux;

namespace Backchannel.Tests.Transports.Kit;

/// <summary>What a session is made with.</summary>
internal sealed record SessionSettings(YamuxRole Role, YamuxOptions Options, ILogger Logger);
