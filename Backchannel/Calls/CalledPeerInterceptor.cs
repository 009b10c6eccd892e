using System.Runtime.CompilerServices;
using Grpc.Core;

namespace Backchannel;

/// <summary>Notes in the options of a call, for the interceptor behind it, which peer is called. The headers carry it, unseen: nothing else of the options can.</summary>
internal sealed class CalledPeerInterceptor(ICallee peer) : CallOptionsInterceptor
{
    private static readonly ConditionalWeakTable<Metadata, ICallee> Peers = [];

    /// <summary>The peer of a call with these options; null: they are of no such call.</summary>
    public static ICallee? Find(in CallOptions options) => options.Headers is { } headers && Peers.TryGetValue(headers, out var peer) ? peer : null;

    protected override CallOptions Change(IMethod method, in CallOptions options)
    {
        // A copy: the caller may give the same headers to calls to several peers.
        var headers = new Metadata();
        foreach (var header in options.Headers ?? [])
        {
            headers.Add(header);
        }

        Peers.Add(headers, peer);
        return options.WithHeaders(headers);
    }
}
