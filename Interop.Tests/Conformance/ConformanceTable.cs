using System.Runtime.CompilerServices;
using Interop.Tests.Support;

namespace Interop.Tests.Conformance;

/// <summary>
/// The table in docs/conformance.md: a row for each case, a column for each implementation. What was measured is compared with
/// it, so that a change of an implementation, or of a case, is seen in review.
/// </summary>
internal static class ConformanceTable
{
    /// <summary>Set to 1, this environment variable makes the tests write the table instead of comparing with it.</summary>
    public const string AcceptVariable = "ACCEPT_CONFORMANCE";

    public const string Passes = "passes";
    public const string Differs = "differs";
    public const string Fails = "**fails**";

    /// <summary>Written by hand where the outcome depends on a race of the peer's own or on the load of the machine; the text below the table says why.</summary>
    public const string Varies = "varies";

    /// <summary>Written by hand where the peer does the one or the other by a race of its own; the text below the table says which.</summary>
    public const string Races = "races";

    private const string Begin = "<!-- table -->";
    private const string End = "<!-- end of table -->";

    // The cases that the suite plays last, since the target is busy with them for long.
    private static readonly string[] Floods = ["abuse.3", "abuse.1", "abuse.2"];

    private static readonly string[] Columns = ["Backchannel", "hashicorp/yamux", "js-libp2p-yamux"];
    private static readonly Lock Gate = new();

    /// <summary>Runs the suite against an implementation that listens, and then what it failed and the profile of its family expects otherwise.</summary>
    /// <param name="column">The implementation.</param>
    /// <param name="profile">Its family.</param>
    /// <param name="start">Starts it. Each run has a process of its own, and so has each flood: a process that still digests what one has left in its memory answers too late.</param>
    public static async Task AssertAsync(string column, string profile, Func<Task<ForeignPeer>> start)
    {
        var cases = await Yamuxspec.ListAsync();
        var strict = await RunAsync([], cases.Keys);
        var family = await Yamuxspec.ListAsync("--profile", profile);
        var own = await RunAsync(["--profile", profile], strict.Failed.Select(result => result.Id).Where(id => family[id] != cases[id]));
        AssertMeasured(column, strict, own);

        async Task<SpecRun> RunAsync(string[] arguments, IEnumerable<string> ids)
        {
            var (calm, floods) = (ids.Except(Floods).ToArray(), ids.Intersect(Floods));
            var run = SpecRun.None;
            foreach (var only in floods.Select(flood => new[] { flood }).Prepend(calm).Where(only => only.Length > 0))
            {
                await using var target = await start();
                run = run.With(await Yamuxspec.RunAsync(["--connect", $"{await target.AddressAsync()}", "--timeout", "10", .. arguments, "--only", .. only]));
            }

            return run;
        }
    }

    /// <summary>Holds the table against what was measured.</summary>
    /// <param name="column">The implementation.</param>
    /// <param name="strict">What it did by the strict profile.</param>
    /// <param name="own">What it did, of what it failed, by the profile of its family where that expects otherwise; null if it has none.</param>
    public static void AssertMeasured(string column, SpecRun strict, SpecRun? own)
    {
        var measured = strict.Results.Values.ToDictionary(
            result => result.Id,
            result => result.Passed ? Passes : own?.Results.GetValueOrDefault(result.Id) is { Passed: true } ? Differs : Fails);
        lock (Gate)
        {
            var text = File.ReadAllText(FilePath());
            var table = Parse(text);
            if (Environment.GetEnvironmentVariable(AcceptVariable) == "1")
            {
                File.WriteAllText(FilePath(), Replace(text, strict, column, measured, table));
                return;
            }

            var differences = measured
                .Where(cell => !Allows(table.GetValueOrDefault((cell.Key, column)), cell.Value))
                .Select(cell => $"{cell.Key}: {cell.Value}, and the table says {table.GetValueOrDefault((cell.Key, column)) ?? "nothing"}\n{strict.Results[cell.Key].Details}")
                .Concat(strict.Results.Values
                    .Where(result => !text.Contains(RowHead(result), StringComparison.Ordinal))
                    .Select(result => $"{result.Id}: its sentence is another, or {result.Requirement} is new"))
                .Concat(table.Keys.Where(cell => cell.Column == column && !measured.ContainsKey(cell.Id)).Select(cell => $"{cell.Id}: there is no such case"))
                .ToArray();
            Assert.True(
                differences.Length == 0,
                $"docs/conformance.md is not what was measured for {column}. If the change is meant, run the tests once with {AcceptVariable}=1, "
                + $"explain it there, and commit the file.\n\n{string.Join("\n\n", differences)}");
        }
    }

    /// <summary>Each case that an implementation does not pass is explained below the table.</summary>
    public static void AssertExplained()
    {
        var text = File.ReadAllText(FilePath());
        var table = Parse(text);
        foreach (var column in Columns)
        {
            Assert.Contains($"\n## {column}\n", text, StringComparison.Ordinal);
            var section = text[(text.IndexOf($"\n## {column}", StringComparison.Ordinal) + 1)..];
            section = section.IndexOf("\n## ", StringComparison.Ordinal) is > 0 and var end ? section[..end] : section;
            Assert.All(
                table.Where(cell => cell.Key.Column == column && cell.Value != Passes),
                cell => Assert.Contains($"`{cell.Key.Id}`", section, StringComparison.Ordinal));
        }
    }

    private static bool Allows(string? approved, string measured) => approved switch
    {
        Varies => true,
        Races => measured is Passes or Differs,
        _ => approved == measured,
    };

    private static string RowHead(SpecResult result) => $"| `{result.Id}` | {result.Requirement} | {result.Sentence} | ";

    private static string FilePath([CallerFilePath] string caller = "")
        => Path.Combine(Path.GetDirectoryName(caller)!, "..", "..", "docs", "conformance.md");

    private static Dictionary<(string Id, string Column), string> Parse(string text)
    {
        var table = new Dictionary<(string, string), string>();
        var rows = text[text.IndexOf(Begin, StringComparison.Ordinal)..text.IndexOf(End, StringComparison.Ordinal)].Split('\n');
        foreach (var row in rows.Where(row => row.StartsWith("| `", StringComparison.Ordinal)))
        {
            var cells = row.Split('|', StringSplitOptions.TrimEntries);
            for (var column = 0; column < Columns.Length; column++)
            {
                table[(cells[1].Trim('`'), Columns[column])] = cells[4 + column];
            }
        }

        return table;
    }

    private static string Replace(
        string text, SpecRun run, string column, Dictionary<string, string> measured, Dictionary<(string Id, string Column), string> table)
    {
        var rows = run.Results.Values.Select(result =>
        {
            var cells = Columns.Select(name => table.GetValueOrDefault((result.Id, name)) is var approved && name == column && !Allows(approved, measured[result.Id]) ? measured[result.Id] : approved ?? "");
            return $"{RowHead(result)}{string.Join(" | ", cells)} |";
        });
        var head = $"| case | | what the peer does | {string.Join(" | ", Columns)} |\n|---|---|---|{string.Concat(Columns.Select(_ => "---|"))}\n";
        return text[..(text.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length)]
            + $"\n{head}{string.Join('\n', rows)}\n"
            + text[text.IndexOf(End, StringComparison.Ordinal)..];
    }
}
