using System.Diagnostics;
using Backchannel.Tests.Docs;
using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Backchannel.Tests.Peers;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using Xunit;

namespace Backchannel.Tests.Telemetry;

/// <summary>What OpenTelemetry exports, set up as docs/telemetry.md says.</summary>
public class OpenTelemetryTests
{
    [Fact]
    public async Task One_trace_goes_from_the_server_to_the_agent_and_back()
    {
        var spans = new List<Activity>();
        using var source = new ActivitySource("Backchannel.Tests");
        ActivityTraceId trace;
        await using (var server = await TestServer.StartAsync(options: AttachTests.Trusting, build: build =>
        {
            TelemetrySnippets.Add(build.Services);
            build.Services.AddOpenTelemetry().WithTracing(tracing => tracing.AddSource(source.Name).AddAspNetCoreInstrumentation().AddInMemoryExporter(spans));
        }))
        {
            await using var agent = await TestAgent.AttachAsync(server);
            agent.State.Act = async _ => await agent.Tester.UnaryAsync(new Request());
            using var root = source.StartActivity("root")!;
            trace = root.TraceId;

            await server.Peers.GetClient<Tester.TesterClient>("a").UnaryAsync(new Request { Act = true }).ResponseAsync.Guarded();
        }

        // The exporter has stopped with the server. Other tests may have left spans of their own.
        var ours = spans.Where(span => span.TraceId == trace).ToList();
        var rootSpan = Assert.Single(ours, span => span.OperationName == "root");
        var call = Assert.Single(ours, span => span.Source.Name == "Backchannel" && span.Kind == ActivityKind.Client);
        var served = Assert.Single(ours, span => span.Source.Name == "Backchannel" && span.Kind == ActivityKind.Server);
        Assert.Equal(rootSpan.SpanId, call.ParentSpanId);
        Assert.Equal(call.SpanId, served.ParentSpanId);
        Assert.Contains(ours, span => span.Source.Name == "Microsoft.AspNetCore" && span.Kind == ActivityKind.Server);
    }

    [Fact]
    public async Task The_meters_are_exported_with_their_units()
    {
        var metrics = new List<Metric>();
        await using (var server = await TestServer.StartAsync(options: AttachTests.Trusting, build: build =>
        {
            TelemetrySnippets.Add(build.Services);
            build.Services.AddOpenTelemetry().WithMetrics(exported => exported.AddInMemoryExporter(metrics));
        }))
        {
            await using var agent = await TestAgent.AttachAsync(server);
            await server.Peers.GetClient<Tester.TesterClient>("a").UnaryAsync(new Request()).ResponseAsync.Guarded();
            await agent.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded();
            Assert.True(server.Services.GetRequiredService<MeterProvider>().ForceFlush());

            // Meters are the process's: other tests' move them too. How far each moves is MetricTests', with a factory of their own.
            Assert.Equal("{peer}", Find("Backchannel.Server", "backchannel.server.active_peers").Unit);
            Assert.Equal("s", Find("Backchannel.Server", "backchannel.server.peer_call.duration").Unit);
            Assert.Equal("{agent}", Find("Backchannel.Agent", "backchannel.agent.attached").Unit);
            Assert.Equal("By", Find("Yamux", "yamux.transport.io").Unit);
        }

        Metric Find(string meter, string name) => metrics.First(metric => metric.MeterName == meter && metric.Name == name);
    }
}
