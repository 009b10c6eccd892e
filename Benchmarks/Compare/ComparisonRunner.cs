using Benchmarks.CommandLine;

namespace Benchmarks.Compare;

/// <summary>Runs a comparison for a command, and puts out what was measured, also when it did not come to its end.</summary>
internal static class ComparisonRunner
{
    /// <param name="comparison">What is measured.</param>
    /// <param name="json">Where the results go beside the console.</param>
    /// <param name="plot">Draws the results, given as JSON.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(IComparison comparison, FileStream? json, Action<string>? plot)
    {
        using var interruption = new Interruption();
        var code = ExitCode.Success;
        string? failure = null;
        try
        {
            await comparison.RunAsync(interruption.Token);
        }
        catch (Exception) when (interruption.Token.IsCancellationRequested)
        {
            code = ExitCode.Interrupted; // Whatever it was: Ctrl-C ends the children of a terminal too.
        }
        catch (MeasurementException error)
        {
            (code, failure) = (ExitCode.Failure, error.Message);
        }

        if (code == ExitCode.Success || comparison.Results.Count > 0)
        {
            ResultTable.Write(Console.Out, comparison.Results);
            BuildCheck.Warn(Console.Out);
            var text = ResultJson.Text(comparison.Results);
            if (json is not null)
            {
                await OutputFile.ReplaceAsync(json, text);
            }

            plot?.Invoke(text);
        }

        if (failure is not null)
        {
            await Console.Error.WriteLineAsync($"failed: {failure}");
        }

        return code;
    }
}
