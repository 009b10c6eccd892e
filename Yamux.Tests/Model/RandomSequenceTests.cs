using CsCheck;
using Yamux.Tests.Faults;

namespace Yamux.Tests.Model;

/// <summary>
/// Random sequences of operations on two sessions, over a connection that delivers what it is told to, checked against a
/// small model of what must come of it.
/// </summary>
/// <remarks>
/// A failure prints its seed and the shortest sequence found. CsCheck's environment variables change what is run:
/// CsCheck_Seed repeats a failure, CsCheck_Iter sets the number of sequences, and CsCheck_Time runs for so many seconds
/// instead: CsCheck_Time=7200 for two hours.
/// </remarks>
[Collection(nameof(RandomSequenceTests))]
public class RandomSequenceTests
{
    private const int Sequences = 20_000;

    [Fact]
    public async Task Whatever_is_done_both_ends_agree_with_the_model()
    {
        using var unobserved = new UnobservedExceptions();
        var isChosen = Environment.GetEnvironmentVariable("CsCheck_Iter") is not null;
        await Sequence.Any.SampleAsync(World.RunAsync, iter: isChosen ? -1 : Sequences);

        unobserved.AssertNone();
    }
}
