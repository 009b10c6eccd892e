using Grpc.Core;

namespace Backchannel;

/// <summary>What a look for somebody to call has found.</summary>
/// <param name="Target">Whom; null: nobody.</param>
/// <param name="Why">Why nobody, where more is known than that there is nobody.</param>
internal readonly record struct Found(ICallTarget? Target, Status? Why = null);
