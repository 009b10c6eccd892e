using Grpc.Core;
using Interop.Tests.Proto;

namespace Interop.Tests.Calls;

/// <summary>Who makes a call, and the way back.</summary>
internal interface ICallerDirectory
{
    FarEnd.FarEndClient CallerOf(ServerCallContext context);

    Identity Identify(ServerCallContext context);
}
