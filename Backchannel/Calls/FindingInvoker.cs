using Grpc.Core;

namespace Backchannel;

/// <summary>Calls whoever is there at the time of each call.</summary>
internal sealed class FindingInvoker(TargetFinder finder, CallContext context) : CallInvoker
{
    public override TResponse BlockingUnaryCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
        => AsyncUnaryCall(method, host, options, request).GetAwaiter().GetResult();

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        (options, var link) = context.Apply(options);
        return new FindingUnaryCall<TRequest, TResponse>(finder, method, host, options, request, link).Begin();
    }

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        (options, var link) = context.Apply(options);
        if (link is null && finder.Find([]) is { } target)
        {
            return target.Invoker.AsyncServerStreamingCall(method, host, options.WithWaitForReady(false), request);
        }

        var later = new LaterCall<AsyncServerStreamingCall<TResponse>>(
            finder, options, invoker => invoker.AsyncServerStreamingCall(method, host, options.WithWaitForReady(false), request), link);
        return new AsyncServerStreamingCall<TResponse>(
            new LaterReader<TResponse>(later.Begun(call => call.ResponseStream)),
            later.HeadersAsync(call => call.ResponseHeadersAsync),
            () => later.GetStatus(call => call.GetStatus()),
            () => later.GetTrailers(call => call.GetTrailers()),
            later.Dispose);
    }

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        (options, var link) = context.Apply(options);
        if (link is null && finder.Find([]) is { } target)
        {
            return target.Invoker.AsyncClientStreamingCall(method, host, options.WithWaitForReady(false));
        }

        var later = new LaterCall<AsyncClientStreamingCall<TRequest, TResponse>>(
            finder, options, invoker => invoker.AsyncClientStreamingCall(method, host, options.WithWaitForReady(false)), link);
        return new AsyncClientStreamingCall<TRequest, TResponse>(
            new LaterWriter<TRequest>(later.Begun(call => call.RequestStream)),
            later.ResponseAsync(call => call.ResponseAsync),
            later.HeadersAsync(call => call.ResponseHeadersAsync),
            () => later.GetStatus(call => call.GetStatus()),
            () => later.GetTrailers(call => call.GetTrailers()),
            later.Dispose);
    }

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        (options, var link) = context.Apply(options);
        if (link is null && finder.Find([]) is { } target)
        {
            return target.Invoker.AsyncDuplexStreamingCall(method, host, options.WithWaitForReady(false));
        }

        var later = new LaterCall<AsyncDuplexStreamingCall<TRequest, TResponse>>(
            finder, options, invoker => invoker.AsyncDuplexStreamingCall(method, host, options.WithWaitForReady(false)), link);
        return new AsyncDuplexStreamingCall<TRequest, TResponse>(
            new LaterWriter<TRequest>(later.Begun(call => call.RequestStream)),
            new LaterReader<TResponse>(later.Begun(call => call.ResponseStream)),
            later.HeadersAsync(call => call.ResponseHeadersAsync),
            () => later.GetStatus(call => call.GetStatus()),
            () => later.GetTrailers(call => call.GetTrailers()),
            later.Dispose);
    }
}
