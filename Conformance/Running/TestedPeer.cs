using System.Diagnostics;
using Conformance.Wire;

namespace Conformance.Running;

/// <summary>
/// The target of one case, at the other end of a fresh connection. What comes is taken in as a case waits for something, and
/// counted for the stream that it belongs to, so that a case says what must become true and not in which order it is told.
/// </summary>
internal sealed partial class TestedPeer : IAsyncDisposable
{
    private static readonly TimeSpan Silence = TimeSpan.FromMilliseconds(30);
    private static readonly TimeSpan Decision = TimeSpan.FromMilliseconds(300);

    private readonly ITarget _target;
    private readonly bool _isClient;
    private readonly Dictionary<uint, TestedStream> _streams = [];
    private readonly Dictionary<uint, int> _pings = [];
    private readonly List<Frame> _heldAnswers = [];
    private long _payloadLeft;
    private uint _barriers = 0xBA000000;

    private TestedPeer(ITarget target, FrameConnection connection, bool isClient, TimeSpan timeout)
    {
        _target = target;
        Connection = connection;
        _isClient = isClient;
        Timeout = timeout;
    }

    /// <summary>How long the target may take for each thing that is expected of it.</summary>
    public TimeSpan Timeout { get; }

    public FrameConnection Connection { get; private set; }

    /// <summary>Whether the target's pings are answered.</summary>
    public bool AnswersPings { get; set; } = true;

    public IReadOnlyCollection<TestedStream> Streams => _streams.Values;

    /// <summary>The code of the last GoAway that came.</summary>
    public uint? GoAwayReceived { get; private set; }

    /// <summary>Whether the target has closed the connection, and all that it sent is taken in.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>How many pongs came that answer a ping of ours.</summary>
    public int Pongs { get; private set; }

    /// <summary>The id of our stream number <paramref name="number"/>, from 1.</summary>
    public uint OurId(uint number) => _isClient ? (2 * number) - 1 : 2 * number;

    /// <summary>An id that only the target could open.</summary>
    public uint TheirId(uint number) => _isClient ? 2 * number : (2 * number) - 1;

    /// <summary>What is known of a stream that we have opened, or tried to.</summary>
    public TestedStream Stream(uint id) => _streams[id];

    /// <param name="isClient">Whether we play the yamux client, and the target the server.</param>
    /// <exception cref="TargetUnreachableException">There is no connection to be had.</exception>
    public static async Task<TestedPeer> ConnectAsync(ITarget target, Transcript transcript, bool isClient, TimeSpan timeout, CancellationToken cancellationToken)
        => new(target, new FrameConnection(await target.ConnectAsync(cancellationToken), transcript), isClient, timeout);

    /// <summary>Leaves the connection, and goes on with a fresh one.</summary>
    public async Task ReconnectAsync()
    {
        var transcript = Connection.Transcript;
        await Connection.DisposeAsync();
        transcript.Note("a new connection");
        Connection = new FrameConnection(await _target.ConnectAsync(CancellationToken.None), transcript);
        _streams.Clear();
        _pings.Clear();
        _heldAnswers.Clear();
        _payloadLeft = 0;
        GoAwayReceived = null;
        HasEnded = false;
    }

    /// <summary>Sends frames together. Sending to a target that has closed the connection is no failure; what is expected next tells.</summary>
    public Task SendAsync(params Frame[] frames)
    {
        var bytes = new MemoryStream();
        foreach (var frame in frames)
        {
            Connection.Transcript.Sent(frame);
            Count(frame);
            bytes.Write(frame.ToBytes());
        }

        return SendBytesAsync(bytes.GetBuffer().AsMemory(0, (int)bytes.Length));
    }

    /// <summary>Sends bytes that are not counted as frames.</summary>
    public Task SendRawAsync(ReadOnlyMemory<byte> bytes, string what)
    {
        Connection.Transcript.Sent(what);
        return SendBytesAsync(bytes);
    }

    /// <summary>Sends a part of a payload whose header was sent before. What must be answered meanwhile is answered after its end.</summary>
    public async Task SendPayloadAsync(TestedStream stream, ReadOnlyMemory<byte> payload)
    {
        stream.OnPayloadSent(payload);
        _payloadLeft -= payload.Length;
        await SendRawAsync(payload, $"{payload.Length} bytes of payload");
        if (_payloadLeft == 0 && _heldAnswers.Count > 0)
        {
            await SendAsync([.. _heldAnswers]);
            _heldAnswers.Clear();
        }
    }

    /// <summary>Sends bytes that are not counted. False: the target has closed the connection, or took no more in time.</summary>
    public async Task<bool> TrySendWithinAsync(ReadOnlyMemory<byte> bytes, TimeSpan patience)
    {
        using var time = new CancellationTokenSource(patience);
        try
        {
            return await Connection.TrySendAsync(bytes, time.Token);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Reads on and counts frames, without looking at them, until there are so many, none comes in time, or nothing more can come.</summary>
    public async Task<int> CountUncheckedAsync(int limit, TimeSpan patience)
    {
        Connection.ResumeReading();
        var count = 0;
        while (count < limit)
        {
            using var time = new CancellationTokenSource(patience);
            try
            {
                if (!await Connection.Frames.WaitToReadAsync(time.Token))
                {
                    break;
                }
            }
            catch (OperationCanceledException)
            {
                break;
            }

            while (Connection.Frames.TryRead(out _))
            {
                count++;
            }
        }

        return count;
    }

    /// <summary>Takes in what comes until <paramref name="condition"/> holds.</summary>
    /// <param name="expected">What is waited for, for the report.</param>
    /// <param name="within">How long the target may take; null means <see cref="Timeout"/>.</param>
    /// <exception cref="SpecFailedException">It does not hold in time, or never can, or the target broke another rule.</exception>
    public async Task UntilAsync(string expected, Func<bool> condition, TimeSpan? within = null)
    {
        var patience = within ?? Timeout;
        if (!await TryUntilAsync(condition, patience))
        {
            throw new SpecFailedException(expected, HasEnded ? DescribeEnd() : $"not within {patience.TotalSeconds:0.###} s{DescribeState()}");
        }
    }

    public ValueTask DisposeAsync() => Connection.DisposeAsync();

    /// <summary>Takes in what comes until the condition holds (true), the time is over, or nothing more can come (false).</summary>
    private async Task<bool> TryUntilAsync(Func<bool> condition, TimeSpan patience)
    {
        var started = Stopwatch.GetTimestamp();
        while (!condition())
        {
            // Also for a target that never falls silent the time is over some day.
            var left = patience - Stopwatch.GetElapsedTime(started);
            if (HasEnded || left <= TimeSpan.Zero || !await TryTakeAsync(left))
            {
                return condition();
            }
        }

        return true;
    }

    // False: nothing came in time.
    private async Task<bool> TryTakeAsync(TimeSpan patience)
    {
        if (!Connection.Frames.TryRead(out var frame))
        {
            if (patience <= TimeSpan.Zero)
            {
                return false;
            }

            using var time = new CancellationTokenSource(patience);
            try
            {
                if (!await Connection.Frames.WaitToReadAsync(time.Token))
                {
                    HasEnded = true;
                    return true;
                }
            }
            catch (OperationCanceledException)
            {
                return false;
            }

            Connection.Frames.TryRead(out frame);
        }

        await TakeInAsync(frame!);
        return true;
    }

    private async Task TakeInAsync(Frame frame)
    {
        if (frame.Version != 0 || !Enum.IsDefined(frame.Type))
        {
            throw new SpecFailedException("frames of version 0 and of types 0 to 3", frame.ToString());
        }

        if (frame.Type is FrameType.Ping or FrameType.GoAway != (frame.StreamId == 0))
        {
            throw new SpecFailedException("Ping and GoAway on stream 0, Data and WindowUpdate on streams", frame.ToString());
        }

        switch (frame.Type)
        {
            case FrameType.Ping:
                await OnPingAsync(frame);
                return;
            case FrameType.GoAway:
                GoAwayReceived = frame.Length;
                return;
        }

        if (!_streams.TryGetValue(frame.StreamId, out var stream))
        {
            throw new SpecFailedException("no frames on streams that nobody has opened", frame.ToString());
        }

        stream.OnReceived(frame);
        if (stream is { GrantsCredit: true, Consumed: >= Frame.InitialWindow / 2, FinReceived: false })
        {
            var consumed = stream.Consumed;
            stream.Consumed = 0;
            await AnswerAsync(Frame.WindowUpdate(stream.Id, consumed));
        }
    }

    private async Task OnPingAsync(Frame frame)
    {
        if (frame.Flags == FrameFlags.Syn)
        {
            if (AnswersPings)
            {
                await AnswerAsync(Frame.Pong(frame.Length));
            }

            return;
        }

        if (frame.Flags != FrameFlags.Ack || !_pings.TryGetValue(frame.Length, out var open) || open == 0)
        {
            throw new SpecFailedException("one pong for each ping, with its value and exactly the ACK flag", frame.ToString());
        }

        _pings[frame.Length] = open - 1;
        Pongs++;
    }

    // Within a payload it would be taken for a part of it.
    private Task AnswerAsync(Frame frame)
    {
        if (_payloadLeft <= 0)
        {
            return SendAsync(frame);
        }

        _heldAnswers.Add(frame);
        return Task.CompletedTask;
    }

    private void Count(Frame frame)
    {
        _payloadLeft += frame.Type == FrameType.Data ? frame.Length - frame.Payload.Length : 0;
        if (frame is { Type: FrameType.Ping, Flags: FrameFlags.Syn, StreamId: 0 })
        {
            _pings[frame.Length] = _pings.GetValueOrDefault(frame.Length) + 1;
        }
        else if (frame.Type is FrameType.Data or FrameType.WindowUpdate)
        {
            if (frame.Has(FrameFlags.Syn) && !_streams.ContainsKey(frame.StreamId))
            {
                _streams.Add(frame.StreamId, new TestedStream(frame.StreamId));
            }

            if (_streams.TryGetValue(frame.StreamId, out var stream))
            {
                stream.OnSent(frame);
            }
        }
    }

    private async Task SendBytesAsync(ReadOnlyMemory<byte> bytes)
    {
        using var time = new CancellationTokenSource(Timeout);
        try
        {
            if (!await Connection.TrySendAsync(bytes, time.Token))
            {
                Connection.Transcript.Note("the target had closed the connection");
            }
        }
        catch (OperationCanceledException)
        {
            throw new SpecFailedException("a target that reads what is sent", $"it took no more bytes for {Timeout.TotalSeconds:0.###} s");
        }
    }

    private string DescribeEnd() => GoAwayReceived is { } code ? $"GoAway code {code}, then {Connection.End}" : $"{Connection.End}, without GoAway";

    private string DescribeState()
    {
        var goAway = GoAwayReceived is { } code ? $"; GoAway code {code}, and the connection is open" : "";
        return _streams.Count is 0 or > 4 ? goAway : $"{goAway}; {string.Join("; ", _streams.Values)}";
    }
}
