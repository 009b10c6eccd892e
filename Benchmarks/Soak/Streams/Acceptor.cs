using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Security.Cryptography;
using Benchmarks.Soak.Sessions;
using Yamux;

namespace Benchmarks.Soak.Streams;

/// <summary>The end that accepts the stream, and learns from its first bytes what to do.</summary>
internal sealed class Acceptor(SoakContext context, SessionPair pair, YamuxSession session, YamuxStream stream)
    : StreamEnd(context, pair, session, opener: false)
{
    /// <summary>The plan's seed, and its complement, which shows that it is one.</summary>
    public const int HeaderSize = 2 * sizeof(ulong);

    protected override async Task RunStreamAsync()
    {
        SetStream(stream);
        Do("reading the header");
        if (stream.Id % 64 < 2)
        {
            Context.Leftovers.Track(stream, $"the acceptor's end of stream {stream.Id} of session {Pair.Name}");
        }

        try
        {
            if (await ReadHeaderAsync() is { } plan)
            {
                await RunPlanAsync(plan);
                return;
            }
        }
        catch (YamuxException error) when (error.ErrorCode == YamuxErrorCode.StreamReset || SessionExplains(error))
        {
            // The opener may reset it, or the session may go, before there was a plan.
        }

        await stream.DisposeAsync();
    }

    protected override Task<bool> ExchangeAsync()
    {
        switch (Plan.Exchange)
        {
            case Exchange.Echo:
                Do("echoing");
                return GuardAsync(EchoAsync);
            case Exchange.Upload:
                Do("taking an upload");
                View.ReadAtLeast = Plan.ReadsWhole ? (int)Plan.Length : 0;
                return GuardAsync(TakeUploadAsync);
            default:
                Do("serving a download");
                return GuardAsync(ServeDownloadAsync);
        }
    }

    // Null: the opener has abandoned the stream already.
    private async Task<StreamPlan?> ReadHeaderAsync()
    {
        var read = await stream.Input.ReadAtLeastAsync(HeaderSize);
        if (read.Buffer.Length < HeaderSize)
        {
            stream.Input.AdvanceTo(read.Buffer.End);
            return null;
        }

        var header = read.Buffer.Slice(0, HeaderSize).ToArray();
        stream.Input.AdvanceTo(read.Buffer.GetPosition(HeaderSize));
        var seed = BinaryPrimitives.ReadUInt64LittleEndian(header);
        if (BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(sizeof(ulong))) != ~seed)
        {
            Context.Failure.Report($"wrong bytes: {this}: {Convert.ToHexString(header)} is not the beginning of any stream");
            return null;
        }

        return new StreamPlan(seed);
    }

    private async Task<bool> EchoAsync()
    {
        var received = await ReceivePatternAsync(null, echo: true);
        if (received)
        {
            View.EndWriting();
        }

        return received;
    }

    private async Task<bool> TakeUploadAsync()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        if (!await ReceivePatternAsync(hash))
        {
            return false;
        }

        await SendHashAsync(hash);
        return true;
    }

    private async Task<bool> ServeDownloadAsync()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        if (!await SendPatternAsync(hash))
        {
            return false;
        }

        View.EndWriting();
        return await ReceiveHashAsync(hash);
    }
}
