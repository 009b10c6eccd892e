namespace Yamux.Tests.Fuzzing;

/// <summary>
/// A million frames, valid and spoilt, from one seed. A failure prints the seed of its sequence, with which
/// <see cref="FuzzSettings.SeedVariable"/> starts there, and the bytes, which belong into the corpus when the fault is mended.
/// </summary>
[CollectionDefinition(nameof(ReceiveFuzzTests), DisableParallelization = true)]
[Collection(nameof(ReceiveFuzzTests))]
public class ReceiveFuzzTests(ITestOutputHelper output)
{
    private const long DefaultFrames = 1_000_000;

    [Fact]
    public async Task Whatever_comes_the_session_goes_on_or_ends_with_an_error_of_yamux()
    {
        var wanted = FuzzSettings.Read(FuzzSettings.FramesVariable, DefaultFrames, least: 1);
        var next = FuzzSettings.Read(FuzzSettings.SeedVariable, fallback: 1, least: 0) - 1;
        long frames = 0;
        long sequences = 0;

        await Task.WhenAll(Enumerable.Range(0, Environment.ProcessorCount).Select(_ => Task.Run(async () =>
        {
            while (Volatile.Read(ref frames) < wanted)
            {
                Interlocked.Add(ref frames, await RunAsync(Interlocked.Increment(ref next)));
                Interlocked.Increment(ref sequences);
            }
        })));

        output.WriteLine($"{frames} frames in {sequences} sequences");
        Assert.True(frames >= wanted, $"{frames} frames were received; {wanted} were wanted.");
    }

    [Theory]
    [InlineData("five")]
    [InlineData("-1")]
    [InlineData("0")]
    public void A_setting_that_is_no_number_is_refused(string value)
    {
        const string Variable = "YAMUX_FUZZ_TEST";
        Environment.SetEnvironmentVariable(Variable, value);

        var error = Assert.Throws<ArgumentException>(() => FuzzSettings.Read(Variable, fallback: 1, least: 1));

        Assert.Contains($"{Variable} is '{value}'", error.Message, StringComparison.Ordinal);
        Environment.SetEnvironmentVariable(Variable, null);
    }

    private static async Task<long> RunAsync(long seed)
    {
        var random = new Random(unchecked((int)((seed * 2_654_435_761) ^ (seed >> 31))));
        var isServer = random.Next(2) == 0;
        var frames = new ValidFrames(random, isServer).Make(random.Next(20, 3000)).ConvertAll(frame => frame.ToBytes());
        var mutations = random.Next(8) == 0 ? random.Next(1, 20) : random.Next(3);
        for (var i = 0; i < mutations; i++)
        {
            Mutations.Apply(frames, random);
        }

        var fragments = random.Next(20) switch
        {
            0 => FuzzCase.Bytewise,
            1 => FuzzCase.Small,
            2 => FuzzCase.Whole,
            _ => FuzzCase.Large,
        };
        var input = new FuzzCase(isServer, fragments, random.Next(4) == 0, (ushort)random.Next(1 << 16), frames.SelectMany(frame => frame).ToArray());
        try
        {
            return await FuzzRun.RunAsync(input, isValid: mutations == 0);
        }
        catch (Exception error)
        {
            Assert.Fail($"{FuzzSettings.SeedVariable}={seed} {FuzzSettings.FramesVariable}=1: {error}\n{Convert.ToHexString(input.ToFile())}");
            throw;
        }
    }
}
