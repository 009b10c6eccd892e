using System.Globalization;
using Xunit;

namespace Backchannel.Tests.Kit;

/// <summary>Plays what ends in a race again and again, since once proves little. The environment variable says how often.</summary>
internal static class Rounds
{
    private const string Variable = "TEST_ROUNDS";
    private const int Default = 20;

    private static readonly int Count = Environment.GetEnvironmentVariable(Variable) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : Default;

    /// <summary>For what takes long: few rounds, unless somebody has asked for more than usual.</summary>
    public static int Of(int few, int many) => Count > Default ? many : few;

    public static async Task RunAsync(Func<Task> round)
    {
        for (var number = 1; number <= Count; number++)
        {
            try
            {
                await round();
            }
            catch
            {
                TestContext.Current.TestOutputHelper?.WriteLine($"in round {number} of {Count}");
                throw;
            }
        }
    }
}
