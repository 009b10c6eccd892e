namespace Yamux.Tests.Tuning;

/// <summary>A stream whose window may grow, and a peer that notes what is sent for its sake.</summary>
internal sealed class TunedStream(Scenario t, YamuxStream stream, long window)
{
    public const int Initial = 262_144;
    public const int HalfWindow = Initial / 2;
    public static readonly TimeSpan RoundTrip = TimeSpan.FromMilliseconds(100);

    private long _uncredited;

    /// <summary>How large the window is, by what the peer was told.</summary>
    public long Window { get; private set; } = window;

    /// <summary>The peer's credit.</summary>
    public long Credit { get; private set; } = window;

    /// <summary>The pings that have come and were not answered.</summary>
    public Queue<uint> Pings { get; } = [];

    public YamuxStream Stream => stream;

    /// <summary>Windows grow from 256 KiB to this.</summary>
    public static Scenario Tuned(int max = 16 * 1024 * 1024, Action<YamuxOptions>? configure = null) => Scenario.Client(options =>
    {
        options.MaxStreamWindowSize = max;
        configure?.Invoke(options);
    });

    public static async Task<TunedStream> OpenAsync(Scenario t)
    {
        var stream = await t.Session.OpenStreamAsync().Guarded();
        var syn = await t.Peer.ReadAsync();
        Assert.Equal((FrameFlag.Syn, stream.Id), (syn.Flags, syn.StreamId));
        var tuned = new TunedStream(t, stream, Initial + syn.Length);
        Assert.Equal(0, await tuned.CreditedAsync());
        return tuned;
    }

    /// <summary>The same, and half a window was consumed, and the round trip is known: 100 ms, which have passed since.</summary>
    public static async Task<TunedStream> MeasuredAsync(Scenario t)
    {
        var tuned = await OpenAsync(t);
        Assert.Equal(0, await tuned.BurstAsync(tuned.Window / 2));
        t.Time.Advance(RoundTrip);
        await tuned.AnswerAsync();
        return tuned;
    }

    /// <summary>The peer sends so many bytes, and the reader consumes them.</summary>
    public async Task SendAndTakeAsync(int count)
    {
        await t.Peer.SendAsync(Frame.Data(stream.Id, Bytes.Pattern(count)));
        Credit -= count;
        await stream.Input.TakeAsync(count);
        _uncredited += count;
    }

    /// <summary>
    /// The same within half a round trip, at a pace of which the window is what comes in a whole one, and credit is due. Returns by how much the window grew with it.
    /// </summary>
    public async Task<long> PassAsync(long count)
    {
        await t.Peer.SendAsync(Frame.Data(stream.Id, Bytes.Pattern((int)(count / 2))));
        await stream.Input.TakeAsync((int)(count / 2));
        t.Time.Advance(RoundTrip / 2);
        (Credit, _uncredited) = (Credit - (count / 2), _uncredited + (count / 2));
        return await BurstAsync(count - (count / 2));
    }

    /// <summary>The same at once.</summary>
    public async Task<long> BurstAsync(long count)
    {
        await SendAndTakeAsync((int)count);
        var before = Window;
        Assert.NotEqual(0, await CreditedAsync());
        return Window - before;
    }

    /// <summary>
    /// What credit has come, in one frame or none: for all that was consumed and had none yet, and for growth. Notes the pings.
    /// </summary>
    public async Task<long> CreditedAsync()
    {
        var frames = await t.Peer.ReadAllAsync();
        foreach (var ping in frames.Where(frame => frame.Kind == FrameKind.Ping))
        {
            Pings.Enqueue(ping.Length);
        }

        if (frames.SingleOrDefault(frame => frame.Kind != FrameKind.Ping) is not { } credit)
        {
            return 0;
        }

        Assert.Equal((FrameKind.WindowUpdate, FrameFlag.None, stream.Id), (credit.Kind, credit.Flags, credit.StreamId));
        Assert.True(credit.Length >= _uncredited, $"{_uncredited} bytes wait to be credited, and {credit.Length} were.");
        Window += credit.Length - _uncredited;
        Credit += credit.Length;
        _uncredited = 0;
        return credit.Length;
    }

    /// <summary>The peer answers the one ping that has come.</summary>
    public async Task AnswerAsync()
    {
        await t.Peer.SendAsync(Frame.Pong(Pings.Dequeue()));
        await t.Peer.ExpectNothingAsync();
        Assert.Empty(Pings);
    }

    /// <summary>The window is as large as the peer was told, to the byte.</summary>
    public async Task ExpectExactAsync()
    {
        await t.Peer.SendAsync(Frame.Data(stream.Id, Bytes.Pattern((int)Credit)), Frame.DataHeader(stream.Id, 1));
        await t.ExpectProtocolErrorAsync("had 0 bytes of credit");
    }
}
