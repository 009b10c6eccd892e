namespace Benchmarks.Soak.Streams;

/// <summary>
/// All that happens on one stream, drawn from one number. The opener sends that number first, so both ends know what the
/// other will do, and what they must not be surprised by.
/// </summary>
internal sealed class StreamPlan
{
    private const int BeforeTheHeader = -1;

    private readonly Interruption _interruption;
    private readonly bool _openerInterrupts;
    private readonly long _interruptedAt;
    private readonly bool[] _usesPipe;
    private readonly bool[] _cancels;

    public StreamPlan(ulong seed)
    {
        Seed = seed;
        var random = new RandomSequence(seed);
        Exchange = (Exchange)random.Next(3);
        Length = DrawLength(ref random);
        _usesPipe = [random.OneIn(2), random.OneIn(2)];
        _cancels = [random.OneIn(12), random.OneIn(12)];
        ReadsWhole = random.OneIn(8);
        _interruption = DrawInterruption(ref random);
        _openerInterrupts = random.OneIn(2);
        _interruptedAt = random.OneIn(8) && _openerInterrupts && _interruption != Interruption.Neglect
            ? BeforeTheHeader
            : random.Next((int)Length + 1);
        Patience = TimeSpan.FromMilliseconds(random.Next(1500));
    }

    public ulong Seed { get; }

    public Exchange Exchange { get; }

    /// <summary>How many bytes of the pattern are sent.</summary>
    public long Length { get; }

    /// <summary>Whether the acceptor of an upload consumes nothing before all of it has come.</summary>
    public bool ReadsWhole { get; }

    /// <summary>How long a stalling end stalls, or waits for an end that neglects the stream.</summary>
    public TimeSpan Patience { get; }

    /// <summary>Whether this end uses the stream as pipes; else as a <see cref="Stream"/>.</summary>
    public bool UsesPipe(bool opener) => _usesPipe[opener ? 0 : 1];

    /// <summary>Whether this end cancels some of its operations, and then goes on.</summary>
    public bool Cancels(bool opener) => _cancels[opener ? 0 : 1];

    /// <summary>What this end does to the exchange.</summary>
    public Interruption InterruptionBy(bool opener) => opener == _openerInterrupts ? _interruption : Interruption.None;

    public bool IsInterruptedBy(bool opener, long offset) => InterruptionBy(opener) != Interruption.None && offset >= _interruptedAt;

    public bool IsInterruptedBeforeHeader => _interruptedAt == BeforeTheHeader && InterruptionBy(opener: true) != Interruption.None;

    /// <summary>Whether this end waits in vain for one that neglects the stream, and so gives up.</summary>
    public bool GivesUp(bool opener) => InterruptionBy(!opener) == Interruption.Neglect;

    /// <summary>Whether this end closes the stream in good order before the exchange is complete.</summary>
    public bool EndsEarly(bool opener)
        => GivesUp(opener) || InterruptionBy(opener) is Interruption.Abandon or Interruption.Stall or Interruption.Neglect;

    public override string ToString()
    {
        var what = FormattableString.Invariant($"{Exchange} of {Length:N0} bytes");
        return _interruption == Interruption.None
            ? what
            : FormattableString.Invariant($"{what}, {_interruption} by the {(_openerInterrupts ? "opener" : "acceptor")} at {_interruptedAt:N0}");
    }

    // Most streams are small, as most calls are; a few exceed every window.
    private static long DrawLength(ref RandomSequence random) => random.Next(100) switch
    {
        < 3 => 0,
        < 50 => random.Next(1024),
        < 90 => random.Next(16 * 1024),
        < 99 => random.Next(128 * 1024),
        _ => random.Next(2 * 1024 * 1024),
    };

    private static Interruption DrawInterruption(ref RandomSequence random) => random.Next(1000) switch
    {
        < 100 => Interruption.Reset,
        < 200 => Interruption.Abandon,
        < 220 => Interruption.Stall,
        < 225 => Interruption.Neglect,
        _ => Interruption.None,
    };
}
