using System.Globalization;
using System.Xml.Linq;
using Conformance.Running;

namespace Conformance.Reports;

/// <summary>
/// The XML that build servers read. Only a MUST is a failure there; a SHOULD or MAY that was not met is a skipped test with
/// its message, so that it does not fail a build.
/// </summary>
internal sealed class JUnitReport(TextWriter output, RunDescription run) : IReport
{
    private readonly List<CaseResult> _results = [];

    public void Add(CaseResult result) => _results.Add(result);

    public void Complete()
    {
        var suites = _results.GroupBy(result => result.Case.Group).Select(group => new XElement(
            "testsuite",
            new XAttribute("name", $"{run.Tool} {group.Key}"),
            Counts(group),
            new XElement("properties", Property("target", run.Target), Property("role", run.Role), Property("profile", run.Profile.ToString().ToLowerInvariant())),
            group.Select(Case)));
        var document = new XDocument(new XElement("testsuites", new XAttribute("name", run.Tool), Counts(_results), suites));
        output.WriteLine("<?xml version=\"1.0\" encoding=\"utf-8\"?>");
        output.WriteLine(document.ToString());
        output.Flush();
    }

    private static XElement Property(string name, string value) => new("property", new XAttribute("name", name), new XAttribute("value", value));

    private static IEnumerable<XAttribute> Counts(IEnumerable<CaseResult> results)
    {
        var all = results.ToArray();
        return
        [
            new("tests", all.Length),
            new("failures", all.Count(result => result.IsFatal)),
            new("skipped", all.Count(result => !result.Passed && !result.IsFatal)),
            new("time", Seconds(TimeSpan.FromTicks(all.Sum(result => result.Duration.Ticks)))),
        ];
    }

    private static XElement Case(CaseResult result) => new(
        "testcase",
        new XAttribute("classname", $"yamuxspec.{result.Case.Group}"),
        new XAttribute("name", $"{result.Case.Id} {result.Case.Sentence}"),
        new XAttribute("time", Seconds(result.Duration)),
        result.Failure is { } failure ? Outcome(result, failure) : null);

    private static XElement Outcome(CaseResult result, SpecFailedException failure) => result.IsFatal
        ? new XElement(
            "failure",
            new XAttribute("message", $"expected: {failure.Expected}; seen: {failure.Seen}"),
            string.Join('\n', result.Frames))
        : new XElement(
            "skipped",
            new XAttribute("message", $"{result.Case.Requirement.ToString().ToUpperInvariant()} not met. Expected: {failure.Expected}; seen: {failure.Seen}"));

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.000", CultureInfo.InvariantCulture);
}
