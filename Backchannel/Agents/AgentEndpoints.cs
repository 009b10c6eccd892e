using Microsoft.AspNetCore.Routing;

namespace Backchannel;

/// <summary>Something that the agent serves.</summary>
internal sealed record AgentEndpoints(Action<IEndpointRouteBuilder> Map);
