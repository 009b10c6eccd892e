using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Grpc.Core;

namespace Backchannel;

/// <summary>Makes generated clients of one kind.</summary>
internal static class GeneratedClient<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TClient>
    where TClient : ClientBase<TClient>
{
    private static readonly ConstructorInvoker? Constructor = Find();

    public static TClient Create(CallInvoker invoker)
        => (TClient)(Constructor ?? throw new MissingMethodException($"{typeof(TClient)} has no public constructor that takes a CallInvoker, as generated clients have.")).Invoke(invoker);

    private static ConstructorInvoker? Find() => typeof(TClient).GetConstructor([typeof(CallInvoker)]) is { } constructor ? ConstructorInvoker.Create(constructor) : null;
}
