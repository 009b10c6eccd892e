using System.Diagnostics;
using Backchannel.Tests.Kit;
using Xunit;

namespace Backchannel.Tests.Packages;

/// <summary>A program of a template that runs. Disposal ends it.</summary>
internal sealed class TemplateProgram(Process process) : IAsyncDisposable
{
    private readonly Task<string> _errors = process.StandardError.ReadToEndAsync();

    /// <summary>Reads what it prints until a line has this in it.</summary>
    /// <returns>Its lines up to this one.</returns>
    public async Task<List<string>> ReadUntilAsync(string text)
    {
        var lines = new List<string>();
        while (await process.StandardOutput.ReadLineAsync().Guarded() is { } line)
        {
            lines.Add(line);
            if (line.Contains(text, StringComparison.Ordinal))
            {
                return lines;
            }
        }

        Assert.Fail($"it ended without \"{text}\":\n{string.Join('\n', lines)}\n{await _errors.Guarded()}");
        return lines;
    }

    public ValueTask DisposeAsync()
    {
        process.Kill(entireProcessTree: true);
        process.Dispose();
        return default;
    }
}
