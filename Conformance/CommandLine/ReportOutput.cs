using System.Text;
using Conformance.Reports;

namespace Conformance.CommandLine;

/// <summary>
/// Where the results go: the report to its file or to standard output, and, unless that is text on standard output already,
/// the progress to standard error.
/// </summary>
internal sealed class ReportOutput : IDisposable
{
    private readonly ReportFormat _format;
    private readonly StreamWriter? _file;

    /// <exception cref="UsageException">The file cannot be written.</exception>
    public ReportOutput(string? file, ReportFormat format)
    {
        _format = format;
        try
        {
            _file = file is null ? null : new StreamWriter(file, append: false, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UsageException($"--out {file}: {error.Message} It must be a file that can be written.");
        }
    }

    public IReadOnlyList<IReport> Create(RunDescription run)
    {
        var output = _file ?? Console.Out;
        IReport report = _format switch
        {
            ReportFormat.Json => new JsonReport(output, run),
            ReportFormat.JUnit => new JUnitReport(output, run),
            _ => new TextReport(output, colour: _file is null && IsTerminal(Console.IsOutputRedirected), details: true),
        };
        return _format == ReportFormat.Text && _file is null
            ? [report]
            : [report, new TextReport(Console.Error, IsTerminal(Console.IsErrorRedirected), details: false)];
    }

    public void Dispose() => _file?.Dispose();

    // https://no-color.org is the convention for those who want none on a terminal either.
    private static bool IsTerminal(bool redirected) => !redirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
}
