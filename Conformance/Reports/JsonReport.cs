using System.Text.Encodings.Web;
using System.Text.Json;
using Conformance.Running;

namespace Conformance.Reports;

/// <summary>One JSON object: what was tested, the counts, and an array of the cases.</summary>
internal sealed class JsonReport(TextWriter output, RunDescription run) : IReport
{
    // The sentences have quotes and arrows; the report is a file, not a web page.
    private static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly List<CaseResult> _results = [];

    public void Add(CaseResult result) => _results.Add(result);

    public void Complete()
    {
        var report = new
        {
            run.Tool,
            run.Target,
            run.Role,
            Profile = run.Profile.ToString().ToLowerInvariant(),
            Passed = _results.Count(result => result.Passed),
            Failed = _results.Count(result => !result.Passed),
            FailedMust = _results.Count(result => result.IsFatal),
            Cases = _results.Select(result => new
            {
                result.Case.Id,
                Requirement = result.Case.Requirement.ToString().ToUpperInvariant(),
                result.Case.Sentence,
                result.Case.Source,
                result.Passed,
                result.Failure?.Expected,
                result.Failure?.Seen,
                result.Frames,
                Seconds = Math.Round(result.Duration.TotalSeconds, 3),
            }),
        };
        output.WriteLine(JsonSerializer.Serialize(report, Options));
        output.Flush();
    }
}
