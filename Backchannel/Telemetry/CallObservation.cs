using System.Diagnostics;
using Grpc.Core;

namespace Backchannel;

/// <summary>One call to a peer, as telemetry sees it: a span and a duration, from the call to its status.</summary>
internal sealed class CallObservation
{
    private readonly ServerMetrics _metrics;
    private readonly IMethod _method;
    private readonly Activity? _activity;
    private readonly long _began;
    private bool _hasEnded; // Interlocked

    private CallObservation(ServerMetrics metrics, IMethod method, Activity? activity)
    {
        _metrics = metrics;
        _method = method;
        _activity = activity;
        _began = metrics.Now;
    }

    /// <summary>Begins; null if nobody wants to know. The span is the current activity until <see cref="Leave"/>, so that the call that is made carries it.</summary>
    public static CallObservation? Begin(ServerMetrics metrics, ICallee peer, IMethod method)
    {
        if (!BackchannelActivities.Source.HasListeners() && !metrics.CallsAreObserved)
        {
            return null;
        }

        var activity = BackchannelActivities.Source.StartActivity($"{method.ServiceName}/{method.Name}", ActivityKind.Client);
        if (activity is { IsAllDataRequested: true })
        {
            activity.SetTag(BackchannelActivities.System, "grpc");
            activity.SetTag(BackchannelActivities.Service, method.ServiceName);
            activity.SetTag(BackchannelActivities.Method, method.Name);
            var location = peer.Location;
            activity.SetTag(BackchannelActivities.PeerName, location.Name);
            activity.SetTag(BackchannelActivities.PeerId, peer.PeerId);
            activity.SetTag(BackchannelActivities.PeerReplica, location.Replica);
        }

        return new CallObservation(metrics, method, activity);
    }

    /// <summary>The call has been made: what the caller does next is not part of it.</summary>
    public void Leave()
    {
        if (_activity is not null && Activity.Current == _activity)
        {
            Activity.Current = _activity.Parent;
        }
    }

    /// <summary>The call has ended, if it had not.</summary>
    public void End(StatusCode status)
    {
        if (Interlocked.Exchange(ref _hasEnded, true))
        {
            return;
        }

        _metrics.CallEnded(_began, _method, status);
        if (_activity is null)
        {
            return;
        }

        _activity.SetTag(BackchannelActivities.StatusCode, (int)status);
        if (status != StatusCode.OK)
        {
            _activity.SetStatus(ActivityStatusCode.Error);
        }

        var current = Activity.Current;
        _activity.Stop(); // Which makes its parent the current one, wherever it is stopped.
        if (current != _activity)
        {
            Activity.Current = current;
        }
    }
}
