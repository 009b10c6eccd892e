using System.Globalization;

namespace Backchannel.Tests.Kit;

/// <summary>Plays what ends in a race again and again, since once proves little. The environment variable says how often.</summary>
internal static class Rounds
{
    private const string Variable = "SIDECHANNEL_ROUNDS";
    private const int Default = 5;

    public static async Task RunAsync(Func<Task> round)
    {
        var count = Environment.GetEnvironmentVariable(Variable) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : Default;
        for (var number = 0; number < count; number++)
        {
            await round();
        }
    }
}
