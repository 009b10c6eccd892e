using System.Buffers.Binary;
using System.Security.Cryptography;
using Benchmarks.Soak.Sessions;
using Yamux;

namespace Benchmarks.Soak.Streams;

/// <summary>The end that opens the stream and draws its plan.</summary>
internal sealed class Opener(SoakContext context, SessionPair pair, YamuxSession session, ulong seed) : StreamEnd(context, pair, session, opener: true)
{
    protected override async Task RunStreamAsync()
    {
        Do("opening");
        if (await OpenAsync() is not { } stream)
        {
            return;
        }

        SetStream(stream);
        Interlocked.Increment(ref Context.Totals.Opened);
        Interlocked.Increment(ref Context.Totals.OpenNow);
        if (stream.Id % 64 < 2)
        {
            Context.Leftovers.Track(stream, $"the opener's end of stream {stream.Id} of session {Pair.Name}");
        }

        try
        {
            await RunPlanAsync(new StreamPlan(seed));
        }
        finally
        {
            Interlocked.Decrement(ref Context.Totals.OpenNow);
        }
    }

    protected override async Task<bool> ExchangeAsync()
    {
        if (!await GuardAsync(SendHeaderAsync))
        {
            return false;
        }

        switch (Plan.Exchange)
        {
            case Exchange.Echo:
                Do("echoing");
                var parts = await Task.WhenAll(GuardAsync(SendAllAsync), GuardAsync(() => ReceivePatternAsync(null)));
                return parts[0] && parts[1];
            case Exchange.Upload:
                Do("uploading");
                return await GuardAsync(UploadAsync);
            default:
                Do("downloading");
                return await GuardAsync(DownloadAsync);
        }
    }

    // Null: it was not to be.
    private async Task<YamuxStream?> OpenAsync()
    {
        using var cancel = seed % 32 == 0 ? new CancellationTokenSource(TimeSpan.FromMilliseconds(seed / 32 % 3)) : null;
        try
        {
            return await Session.OpenStreamAsync(cancel?.Token ?? CancellationToken.None);
        }
        catch (OperationCanceledException) when (cancel is not null)
        {
            Interlocked.Increment(ref Context.Totals.Cancelled);
        }
        catch (Exception error) when (SessionExplains(error))
        {
            // The session was replaced.
        }

        return null;
    }

    private async Task<bool> SendHeaderAsync()
    {
        if (Interrupts(-1))
        {
            return false;
        }

        var header = new byte[Acceptor.HeaderSize];
        BinaryPrimitives.WriteUInt64LittleEndian(header, seed);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(sizeof(ulong)), ~seed);
        await View.WriteAsync(header, Stop);
        await View.FlushAsync(Stop);
        return true;
    }

    private async Task<bool> SendAllAsync()
    {
        var sent = await SendPatternAsync(null);
        if (sent)
        {
            View.EndWriting();
        }

        return sent;
    }

    private async Task<bool> UploadAsync()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        if (!await SendPatternAsync(hash))
        {
            return false;
        }

        View.EndWriting();
        return await ReceiveHashAsync(hash);
    }

    private async Task<bool> DownloadAsync()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        if (!await ReceivePatternAsync(hash))
        {
            return false;
        }

        await SendHashAsync(hash);
        return true;
    }
}
