using System.Diagnostics.Metrics;
using System.Drawing;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Xunit;
using Yamux;

namespace Backchannel.Tests.Telemetry;

/// <summary>docs/telemetry.md has every instrument that there is, and docs/grafana/backchannel.json asks for no other.</summary>
public partial class TelemetryPageTests
{
    private static readonly string[] Meters = ["Backchannel.Server", "Backchannel.Agent", "Backchannel.Replicas", "Yamux"];

    [Fact]
    public async Task The_page_has_every_instrument_with_its_kind_and_its_unit()
        => Assert.Equal(Sorted(await PublishedAsync()), Sorted(Documented()));

    [Fact]
    public void The_dashboard_shows_every_instrument_by_the_name_that_Prometheus_gives_it()
    {
        var names = Documented().ToDictionary(ToPrometheus, instrument => instrument.Kind);
        var asked = Queries(Dashboard().RootElement).SelectMany(query => MetricName().Matches(Labels().Replace(query, "")).Select(match => match.Value)).Distinct().ToList();

        Assert.Equal(names.Keys.Order(StringComparer.Ordinal), asked.Select(Base).Distinct().Order(StringComparer.Ordinal));

        string Base(string name)
        {
            var of = HistogramSuffix().Replace(name, "");
            return names.GetValueOrDefault(of) == "histogram" ? of : name;
        }
    }

    [Fact]
    public void The_panels_of_the_dashboard_have_titles_units_and_places_of_their_own()
    {
        var panels = Dashboard().RootElement.GetProperty("panels").EnumerateArray().ToList();

        Assert.Equal(panels.Count, panels.Select(panel => panel.GetProperty("id").GetInt32()).Distinct().Count());
        Assert.All(panels, panel => Assert.NotEqual("", panel.GetProperty("title").GetString()));
        Assert.All(panels.Where(panel => panel.GetProperty("type").GetString() != "row"), panel =>
            Assert.NotEqual("", panel.GetProperty("fieldConfig").GetProperty("defaults").GetProperty("unit").GetString()));

        var places = panels.ConvertAll(PlaceOf);
        Assert.All(places, place => Assert.True(place is { X: >= 0, Y: >= 0, Width: > 0, Height: > 0 } && place.Right <= 24, $"{place} is not within the dashboard"));
        Assert.All(places.SelectMany((place, i) => places.Skip(i + 1).Select(other => (place, other))), pair =>
            Assert.False(pair.place.IntersectsWith(pair.other), $"{pair.place} is over {pair.other}"));
    }

    private static Rectangle PlaceOf(JsonElement panel)
    {
        var place = panel.GetProperty("gridPos");
        return new Rectangle(Of("x"), Of("y"), Of("w"), Of("h"));

        int Of(string name) => place.GetProperty(name).GetInt32();
    }

    private static JsonDocument Dashboard() => JsonDocument.Parse(File.ReadAllText(Path.Combine(DocsFolder(), "grafana", "backchannel.json")));

    // Who creates the instruments publishes them, to listeners that are there.
    private static async Task<List<(string Meter, string Name, string Kind, string Unit)>> PublishedAsync()
    {
        var published = new List<(string, string, string, string)>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, _) =>
        {
            if (Meters.Contains(instrument.Meter.Name))
            {
                lock (published)
                {
                    published.Add((instrument.Meter.Name, instrument.Name, KindOf(instrument), instrument.Unit!));
                }
            }
        };
        listener.Start();
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var factory = services.GetRequiredService<IMeterFactory>();
        _ = new ServerMetrics(factory, TimeProvider.System);
        _ = new ReplicaMetrics(factory);
        _ = new AgentMetrics(factory, new AgentClock(services));
        var (end, other) = Kit.DuplexPipe.CreatePair();
        await using var session = YamuxSession.Create(end, YamuxRole.Client, new YamuxOptions { MeterFactory = factory });
        session.Abort();
        await other.Output.CompleteAsync();
        lock (published)
        {
            return [.. published.Distinct()];
        }
    }

    private static string KindOf(Instrument instrument) => instrument.GetType().GetGenericTypeDefinition() switch
    {
        var type when type == typeof(Counter<>) => "counter",
        var type when type == typeof(UpDownCounter<>) => "up-down counter",
        var type when type == typeof(Histogram<>) => "histogram",
        var type => type.Name,
    };

    private static List<(string Meter, string Name, string Kind, string Unit)> Documented()
    {
        var rows = new List<(string, string, string, string)>();
        var meter = "";
        foreach (var line in File.ReadLines(Path.Combine(DocsFolder(), "telemetry.md")))
        {
            if (MeterHeading().Match(line) is { Success: true } heading)
            {
                meter = heading.Groups[1].Value;
            }
            else if (InstrumentRow().Match(line) is { Success: true } row)
            {
                rows.Add((meter, row.Groups[1].Value, row.Groups[2].Value, row.Groups[3].Value));
            }
        }

        return rows;
    }

    // As OpenTelemetry's specification has it: units by their names, notes in braces left away, and what counts up ends in total.
    private static string ToPrometheus((string Meter, string Name, string Kind, string Unit) instrument)
    {
        var unit = instrument.Unit switch
        {
            "s" => "_seconds",
            "By" => "_bytes",
            _ => "",
        };
        return $"{instrument.Name.Replace('.', '_')}{unit}{(instrument.Kind == "counter" ? "_total" : "")}";
    }

    private static IEnumerable<string> Queries(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(property => property.Name == "expr" ? [property.Value.GetString()!] : Queries(property.Value)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(Queries),
        _ => [],
    };

    private static IEnumerable<string> Sorted(IEnumerable<(string, string, string, string)> instruments) => instruments.Select(each => each.ToString()).Order(StringComparer.Ordinal);

    private static string DocsFolder([CallerFilePath] string path = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, "..", "..", "docs"));

    [GeneratedRegex(@"^\*\*`([A-Za-z.]+)`\*\*$")]
    private static partial Regex MeterHeading();

    [GeneratedRegex(@"^\| `([a-z_.]+)` \| ([a-z -]+) \| `([^`]+)` \|")]
    private static partial Regex InstrumentRow();

    [GeneratedRegex(@"\{[^}]*\}|\b(by|without|on|ignoring) ?\([^)]*\)")]
    private static partial Regex Labels();

    [GeneratedRegex(@"\b(backchannel|yamux)_[a-z_]+")]
    private static partial Regex MetricName();

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex HistogramSuffix();
}
