using System.Diagnostics;
using Conformance.Wire;

namespace Conformance.Running;

/// <content>The steps that many cases share.</content>
internal sealed partial class TestedPeer
{
    /// <summary>Test data: bytes that differ from place to place, so that what is lost, doubled or swapped shows.</summary>
    public static byte[] Pattern(int count, int seed = 0)
    {
        var bytes = new byte[count];
        for (var i = 0; i < count; i++)
        {
            bytes[i] = (byte)((i * 31) + (i >> 8) + (i >> 16) + seed);
        }

        return bytes;
    }

    /// <summary>Sends a frame one byte at a time.</summary>
    public async Task SendByteByByteAsync(Frame frame)
    {
        Connection.Transcript.Sent($"{frame}, byte by byte");
        Count(frame);
        var bytes = frame.ToBytes();
        for (var at = 0; at < bytes.Length; at++)
        {
            await SendBytesAsync(bytes.AsMemory(at, 1));
        }
    }

    /// <summary>Ends our side of the connection (TCP FIN), and with it every stream.</summary>
    public void EndSending()
    {
        Connection.EndSending();
        foreach (var stream in Streams)
        {
            stream.OnConnectionEnded();
        }
    }

    /// <summary>A pong with this value may come, though no ping was sent that asks for it.</summary>
    public void AllowPong(uint value) => _pings[value] = _pings.GetValueOrDefault(value) + 1;

    /// <summary>The stream's id may be used as if for the first time.</summary>
    public void Forget(TestedStream stream) => _streams.Remove(stream.Id);

    /// <summary>
    /// Opens our stream number <paramref name="number"/>. An ACK is not waited for: js-libp2p sends it with its first data,
    /// and the spec lets data follow the SYN at once.
    /// </summary>
    public async Task<TestedStream> OpenAsync(uint number = 1, uint delta = 0)
    {
        var id = OurId(number);
        await SendAsync(Frame.Syn(id, delta));
        return Stream(id);
    }

    /// <summary>Opens our stream number <paramref name="number"/>, and echoes a byte: it is served, and its window is known.</summary>
    public async Task<TestedStream> EstablishAsync(uint number = 1)
    {
        var stream = await OpenAsync(number);
        await EchoAsync(stream, Pattern(1));
        return stream;
    }

    /// <summary>Sends data as credit allows, and waits until all of it has come back.</summary>
    public async Task EchoAsync(TestedStream stream, ReadOnlyMemory<byte> data, int frameSize = 16 * 1024)
    {
        while (data.Length > 0)
        {
            await UntilAsync($"credit for stream {stream.Id}", () => stream.SendCredit > 0);
            var size = (int)Math.Min(Math.Min(frameSize, data.Length), stream.SendCredit);
            await SendAsync(Frame.Data(stream.Id, data[..size]));
            data = data[size..];
        }

        await ExpectEchoAsync(stream);
    }

    /// <summary>All that was sent on the stream comes back.</summary>
    public Task ExpectEchoAsync(TestedStream stream)
        => UntilAsync($"the echo of {stream.Sent} bytes on stream {stream.Id}", () => stream.Received == stream.Sent);

    /// <summary>All that was sent on the stream comes back, and then the target's FIN.</summary>
    public async Task ExpectEchoAndFinAsync(TestedStream stream)
    {
        await UntilAsync($"the echo of {stream.Sent} bytes and then FIN on stream {stream.Id}", () => stream.FinReceived);
        if (stream.Received != stream.Sent)
        {
            throw new SpecFailedException($"the echo of {stream.Sent} bytes on stream {stream.Id} before FIN", $"FIN after {stream.Received} bytes");
        }
    }

    /// <summary>Half-closes the stream, and waits for the rest of the echo and the target's FIN.</summary>
    public async Task FinishAsync(TestedStream stream)
    {
        await SendAsync(Frame.Fin(stream.Id));
        await ExpectEchoAndFinAsync(stream);
    }

    /// <summary>
    /// Opens <paramref name="count"/> streams and then fills the window of each, reading nothing: of the echo, for all of which there is
    /// credit, most waits in the target until <see cref="FrameConnection.ResumeReading"/>. The streams that are served.
    /// </summary>
    /// <param name="first">The number of the first one.</param>
    /// <param name="count">How many they are.</param>
    public async Task<IReadOnlyList<TestedStream>> FillUnreadAsync(uint first, uint count)
    {
        var window = Pattern((int)Frame.InitialWindow);
        var ids = Enumerable.Range((int)first, (int)count).Select(number => OurId((uint)number)).ToArray();
        await SendAsync([.. ids.Select(id => Frame.Data(id, window.AsMemory(0, 1), FrameFlags.Syn))]);
        var streams = ids.Select(Stream).ToArray();
        await UntilAsync($"the echo of a byte, or RST, on each of {count} streams", () => streams.All(stream => stream.Received > 0 || stream.RstReceived));
        var served = streams.Where(stream => !stream.RstReceived).ToArray();
        if (served.Length == 0)
        {
            throw new SpecFailedException($"some of {count} streams that are served", "RST for all of them");
        }

        Connection.PauseReading();
        foreach (var stream in served)
        {
            stream.GrantsCredit = false;
            await SendAsync(Frame.Data(stream.Id, window.AsMemory(1)));
        }

        return served;
    }

    /// <summary>
    /// Waits until the target has taken in all that was sent, as a ping shows that it answers, and says nothing more.
    /// </summary>
    public async Task SettleAsync()
    {
        var barrier = _barriers++;
        await SendAsync(Frame.Ping(barrier));
        await UntilAsync("a pong, so that what was sent before the ping has been processed", () => _pings[barrier] == 0);
        var started = Stopwatch.GetTimestamp();
        while (!HasEnded && await TryTakeAsync(Silence))
        {
            if (Stopwatch.GetElapsedTime(started) > Timeout)
            {
                throw new SpecFailedException("a target that falls silent when it has nothing more to say", $"frames for {Timeout.TotalSeconds:0.###} s");
            }
        }
    }

    /// <summary>The target has nothing to say to what was just sent.</summary>
    public async Task ExpectNothingAsync(TestedStream stream, string expected)
    {
        var before = stream.Frames;
        await SettleAsync();
        if (stream.Frames > before)
        {
            throw new SpecFailedException(expected, $"{stream.Frames - before} frames on stream {stream.Id}");
        }

        if (HasEnded || GoAwayReceived is not null)
        {
            throw new SpecFailedException(expected, HasEnded ? DescribeEnd() : $"GoAway code {GoAwayReceived}");
        }
    }

    /// <summary>
    /// The session goes on: a new stream echoes, and a ping is answered. A stream that is refused is no fault, for a backlog
    /// may be full for a moment; that all are would be.
    /// </summary>
    public async Task ExpectAliveAsync(uint number = 1001)
    {
        var stream = await OpenAsync(number);
        await SendAsync(Frame.Data(stream.Id, Pattern(1000)), Frame.Fin(stream.Id));
        for (var attemptsLeft = 100; attemptsLeft > 0; attemptsLeft--)
        {
            await UntilAsync($"the echo of 1000 bytes and then FIN on stream {stream.Id}", () => stream.FinReceived || (stream.IsRefused && attemptsLeft > 1));
            if (!stream.IsRefused)
            {
                break;
            }

            await SettleAsync();
            stream = await OpenAsync(++number);
            await SendAsync(Frame.Data(stream.Id, Pattern(1000)), Frame.Fin(stream.Id));
        }

        await ExpectEchoAndFinAsync(stream);
        await SettleAsync();
        if (HasEnded || GoAwayReceived is not null)
        {
            throw new SpecFailedException("a session that goes on", HasEnded ? DescribeEnd() : $"GoAway code {GoAwayReceived}");
        }
    }

    /// <summary>The target says GoAway with code 1 and closes the connection.</summary>
    public async Task ExpectProtocolErrorAsync()
    {
        const string Expected = "GoAway code 1, and then the end of the connection";
        await UntilEndAsync(Expected);
        if (GoAwayReceived != 1)
        {
            throw new SpecFailedException(Expected, DescribeEnd());
        }
    }

    /// <summary>The target ends the session for what we did, whether or not it says why.</summary>
    public Task ExpectSessionEndAsync() => UntilEndAsync("the end of the connection");

    /// <summary>The target closes the connection.</summary>
    public Task ExpectEndAsync(TimeSpan? within = null) => UntilAsync("the end of the connection", () => HasEnded, within);

    /// <summary>The target closes the connection, behind a whole frame and without a reset, which could destroy what is on its way.</summary>
    public async Task ExpectEndInOrderAsync()
    {
        await ExpectEndAsync();
        if (!Connection.HasEndedInOrder)
        {
            throw new SpecFailedException("the end of the connection, in order", DescribeEnd());
        }
    }

    // One that answers a ping has taken what came before it, and goes on.
    private async Task UntilEndAsync(string expected)
    {
        if (await TryUntilAsync(() => HasEnded, Decision))
        {
            return;
        }

        var barrier = _barriers++;
        await SendAsync(Frame.Ping(barrier));
        await UntilAsync(expected, () => HasEnded || (_pings[barrier] == 0 && GoAwayReceived is null));
        if (!HasEnded)
        {
            throw new SpecFailedException(expected, $"the session goes on: a ping was answered{DescribeState()}");
        }
    }
}
