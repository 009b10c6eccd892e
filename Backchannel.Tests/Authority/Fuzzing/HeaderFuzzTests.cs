using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using Backchannel.Tests.Kit;
using Xunit;

namespace Backchannel.Tests.Authority.Fuzzing;

/// <summary>
/// Header blocks, valid and spoilt, from one seed. A failure prints the seed of its connection, with which <see cref="SeedVariable"/> starts there.
/// </summary>
[CollectionDefinition(nameof(HeaderFuzzTests), DisableParallelization = true)]
[Collection(nameof(HeaderFuzzTests))]
public class HeaderFuzzTests(ITestOutputHelper output)
{
    private const string FramesVariable = "AUTHORITY_FUZZ_FRAMES";
    private const string SeedVariable = "AUTHORITY_FUZZ_SEED";

    /// <summary>What of the answers must be the same: a connection is given to a real Kestrel once in so many.</summary>
    private const int Sample = 200;

    [Fact]
    public async Task Whatever_comes_nothing_changes_but_hosts_and_Kestrel_answers()
    {
        var wanted = Read(FramesVariable, 300_000);
        var first = Read(SeedVariable, 1);
        long blocks = 0;
        long changed = 0;
        long asked = 0;
        var next = first - 1;
        await using var plain = await BareKestrel.StartAsync(isFiltered: false);
        await using var filtered = await BareKestrel.StartAsync(isFiltered: true);
        await Task.WhenAll(Enumerable.Range(0, Environment.ProcessorCount).Select(_ => Task.Run(async () =>
        {
            while (Volatile.Read(ref blocks) < wanted)
            {
                var seed = Interlocked.Increment(ref next);
                try
                {
                    var (bytes, count) = MakeConnection(seed);
                    var seen = await PassAsync(bytes, seed);
                    Interlocked.Add(ref blocks, count);
                    var isWhole = ReferenceConnection.AssertSame(bytes, seen);
                    Interlocked.Add(ref changed, bytes.AsSpan().SequenceEqual(seen) ? 0 : 1);
                    if (seed % Sample == 0)
                    {
                        await AssertAnsweredAsync(plain, filtered, bytes, seen, isWhole);
                        Interlocked.Increment(ref asked);
                    }
                }
                catch (Exception error)
                {
                    throw new InvalidOperationException($"{SeedVariable}={seed} fails.", error);
                }
            }
        })));

        output.WriteLine($"{blocks} header blocks on {next - first + 1} connections from seed {first}; {changed} connections were changed, {asked} answered by Kestrel");
        Assert.True(changed > (next - first) / 4, $"{changed} of {next - first + 1} connections were changed.");
    }

    private static long Read(string variable, long fallback)
        => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? long.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture) : fallback;

    // Some good calls, then one that may be spoilt, and again, since what is spoilt in one place need not end the connection.
    private static (byte[] Bytes, int Blocks) MakeConnection(long seed)
    {
        var random = new Random(unchecked((int)((seed * 2_654_435_761) ^ (seed >> 31))));
        var mutations = new HeaderMutations(random);
        List<byte> bytes = [.. Http2Frames.Opening];
        var count = random.Next(1, 12);
        var spoilt = random.Next(2) == 0 ? -1 : random.Next(count);
        for (var i = 0; i < count; i++)
        {
            bytes.AddRange(mutations.MakeFrames((2 * i) + 1, isSpoilt: i == spoilt || (i > spoilt && spoilt >= 0 && random.Next(4) == 0)));
            if (random.Next(4) == 0)
            {
                bytes.AddRange(Http2Frames.Frame(Http2Frames.Ping, 0, 0, new byte[8]));
            }
        }

        return ([.. bytes], count);
    }

    // In pieces, as they may come.
    private static async Task<byte[]> PassAsync(byte[] bytes, long seed)
    {
        var random = new Random((int)seed);
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0, useSynchronizationContext: false));
        var reader = new AuthorityReader(pipe.Reader, new Http2Scanner(headerTableSize: 4096, maxFrameSize: 16_384, maxHeadersSize: 32 * 1024));
        var seen = new List<byte>();
        for (var at = 0; at < bytes.Length;)
        {
            var piece = Math.Min(bytes.Length - at, random.Next(3) == 0 ? random.Next(1, 10) : random.Next(1, 400));
            await pipe.Writer.WriteAsync(bytes.AsMemory(at, piece));
            at += piece;
            if (random.Next(2) == 0 && reader.TryRead(out var read))
            {
                // Takes some of it, and has looked at a little more.
                var consumed = random.Next((int)read.Buffer.Length + 1);
                seen.AddRange(read.Buffer.Slice(0, consumed).ToArray());
                reader.AdvanceTo(read.Buffer.GetPosition(consumed), read.Buffer.GetPosition(random.Next(consumed, (int)read.Buffer.Length + 1)));
            }
        }

        await pipe.Writer.CompleteAsync();
        while (true)
        {
            var read = await reader.ReadAsync();
            seen.AddRange(read.Buffer.ToArray());
            reader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
            {
                return [.. seen];
            }
        }
    }

    private static async Task AssertAnsweredAsync(BareKestrel plain, BareKestrel filtered, byte[] bytes, byte[] seen, bool isWhole)
    {
        var with = await AskAsync(filtered, bytes, isWhole);
        AssertAnswers(await AskAsync(plain, seen, isWhole), with, isWhole, (answer, other) => answer == other);

        // A host that Kestrel refused reaches the handler; all else is as it was. Some it does not take for text, and then ends the connection.
        var without = await AskAsync(plain, bytes, isWhole);
        if (without.GoAway == with.GoAway || bytes.AsSpan().SequenceEqual(seen) || without.GoAway != 1)
        {
            AssertAnswers(without, with, isWhole, (answer, other) => answer == other || (answer is { Reset: 1 } && other.Body is not null));
        }
    }

    private static void AssertAnswers(
        (Dictionary<int, Answer> Answers, int? GoAway) one, (Dictionary<int, Answer> Answers, int? GoAway) other, bool isWhole, Func<Answer, Answer, bool> areAlike)
    {
        Assert.Equal(one.GoAway, other.GoAway);
        if (!isWhole || one.GoAway != 0)
        {
            return; // The calls that ran were ended, whatever had become of them by then.
        }

        Assert.Equal(one.Answers.Keys.Order(), other.Answers.Keys.Order());
        foreach (var (stream, answer) in one.Answers)
        {
            Assert.True(areAlike(answer, other.Answers[stream]), $"Stream {stream}: {answer} without the filter, {other.Answers[stream]} with it.");
        }
    }

    private static async Task<(Dictionary<int, Answer> Answers, int? GoAway)> AskAsync(BareKestrel kestrel, byte[] bytes, bool isWhole)
    {
        var connection = kestrel.Connect(out var output);
        await output.WriteAsync(bytes).Guarded();
        if (isWhole)
        {
            // Kestrel ends the connection when all calls have.
            await output.WriteAsync(Http2Frames.Frame(Http2Frames.GoAway, 0, 0, new byte[8])).Guarded();
        }
        else
        {
            await output.CompleteAsync();
        }

        return await connection.AnswersAsync().Guarded();
    }
}
