using System.Reflection;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Backchannel.Tests.Authority;

/// <summary>What is a host, says the Kestrel that runs.</summary>
internal static class KestrelHost
{
    public static readonly Func<string, bool> IsValid = typeof(KestrelServerOptions).Assembly
        .GetType("Microsoft.AspNetCore.Server.Kestrel.Core.Internal.Infrastructure.HttpUtilities", throwOnError: true)!
        .GetMethod("IsHostHeaderValid", BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static)!
        .CreateDelegate<Func<string, bool>>();
}
