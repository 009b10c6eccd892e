using Conformance.Running;

namespace Conformance.Reports;

/// <summary>A line for each case as it ends; below a failed one what was expected, what was seen, and the frames.</summary>
internal sealed class TextReport(TextWriter output, bool colour, bool details) : IReport
{
    private readonly List<CaseResult> _results = [];

    public void Add(CaseResult result)
    {
        _results.Add(result);
        var word = result.Passed ? Paint("ok  ", 32) : result.IsFatal ? Paint("FAIL", 31) : Paint("miss", 33);
        output.WriteLine($"{word}  {result.Case.Id,-13} {result.Case.Requirement.ToString().ToUpperInvariant(),-6}  {result.Case.Sentence}");
        if (details && result.Failure is { } failure)
        {
            output.WriteLine($"        expected: {failure.Expected}");
            output.WriteLine($"        seen:     {failure.Seen}");
            foreach (var frame in result.Frames)
            {
                output.WriteLine($"          {frame}");
            }
        }

        output.Flush();
    }

    public void Complete()
    {
        var failed = _results.Where(result => !result.Passed).ToArray();
        var counts = Enum.GetValues<Requirement>()
            .Select(requirement => $"{failed.Count(result => result.Case.Requirement == requirement)} {requirement.ToString().ToUpperInvariant()}");
        output.WriteLine();
        output.WriteLine($"{_results.Count} cases: {_results.Count - failed.Length} passed, {failed.Length} failed ({string.Join(", ", counts)})");
        output.Flush();
    }

    private string Paint(string text, int code) => colour ? $"\e[{code}m{text}\e[0m" : text;
}
