namespace Yamux.Tests.Fuzzing;

/// <summary>Every input that was worth keeping: valid exchanges, the attacks that others have suffered, and what the fuzzing has found.</summary>
public class CorpusTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Fuzzing", "Corpus");

    public static TheoryData<string> Files => new(Directory.GetFiles(Folder, "*.bin").Select(file => Path.GetFileName(file)).Order());

    [Theory]
    [MemberData(nameof(Files))]
    public async Task An_input_of_the_corpus_whole_and_one_byte_at_a_time(string file)
    {
        var input = FuzzCase.Parse(await File.ReadAllBytesAsync(Path.Combine(Folder, file)));

        for (var fragments = FuzzCase.Whole; fragments <= FuzzCase.Bytewise; fragments++)
        {
            var valid = file.StartsWith("valid-", StringComparison.Ordinal);
            Assert.True(await FuzzRun.RunAsync(input with { Fragments = fragments }, valid) > 0, "The session took no frame.");
            await FuzzRun.RunAsync(input with { Fragments = fragments, HasSlowTransport = true }, valid);
        }
    }
}
