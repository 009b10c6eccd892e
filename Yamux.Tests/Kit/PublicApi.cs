using System.Reflection;
using System.Runtime.CompilerServices;
using PublicApiGenerator;
using Xunit;

namespace Yamux.Tests.Kit;

/// <summary>
/// Compares the public face of an assembly with a text file that is checked in, so that each change of it is seen in review.
/// </summary>
public static class PublicApi
{
    /// <summary>Set to 1, this environment variable makes the tests write the file instead of comparing with it.</summary>
    public const string AcceptVariable = "ACCEPT_PUBLIC_API";

    // The compiler's names for its state machines change with every member that is added.
    private static readonly ApiGeneratorOptions Options = new()
    {
        IncludeAssemblyAttributes = false,
        ExcludeAttributes = ["System.Runtime.CompilerServices.AsyncIteratorStateMachineAttribute"],
    };

    /// <param name="assembly">The library.</param>
    /// <param name="fileName">The approved text, beside the caller's source file.</param>
    /// <param name="caller">The caller's source file.</param>
    public static void AssertApproved(Assembly assembly, string fileName, [CallerFilePath] string caller = "")
    {
        var actual = assembly.GeneratePublicApi(Options).ReplaceLineEndings("\n").TrimEnd() + "\n";
        var path = Path.Combine(Path.GetDirectoryName(caller)!, fileName);
        if (Environment.GetEnvironmentVariable(AcceptVariable) == "1")
        {
            File.WriteAllText(path, actual);
            return;
        }

        var approved = File.Exists(path) ? File.ReadAllText(path).ReplaceLineEndings("\n") : "";
        if (approved != actual)
        {
            Assert.Fail(
                $"The public face of {assembly.GetName().Name} is not what {fileName} says:\n\n{Difference(approved, actual)}\n"
                + $"If the change is meant, accept it by running the tests once with {AcceptVariable}=1, and commit the file.");
        }
    }

    // Lines that are gone and lines that are new; the file is short, so a longest common subsequence is cheap enough.
    private static string Difference(string approved, string actual)
    {
        var before = approved.Split('\n');
        var after = actual.Split('\n');
        var common = new int[before.Length + 1, after.Length + 1];
        for (var i = before.Length - 1; i >= 0; i--)
        {
            for (var j = after.Length - 1; j >= 0; j--)
            {
                common[i, j] = before[i] == after[j] ? common[i + 1, j + 1] + 1 : Math.Max(common[i + 1, j], common[i, j + 1]);
            }
        }

        var lines = new List<string>();
        for (int i = 0, j = 0; i < before.Length || j < after.Length;)
        {
            if (i < before.Length && j < after.Length && before[i] == after[j])
            {
                (i, j) = (i + 1, j + 1);
            }
            else if (j == after.Length || (i < before.Length && common[i + 1, j] >= common[i, j + 1]))
            {
                lines.Add($"- {before[i++]}");
            }
            else
            {
                lines.Add($"+ {after[j++]}");
            }
        }

        return string.Join('\n', lines);
    }
}
