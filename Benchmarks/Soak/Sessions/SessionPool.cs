namespace Benchmarks.Soak.Sessions;

/// <summary>The sessions that streams are opened on, over all transports in turn. Some of them are ended all the time, in every way, and replaced.</summary>
internal sealed class SessionPool : IAsyncDisposable
{
    private const int ReplacementInterval = 500;

    private static readonly int Endings = Enum.GetValues<PairEnding>().Length;

    private readonly SoakContext _context;
    private readonly ITransport[] _transports;
    private SessionPair[] _pairs;
    private int _created;
    private long _replacementDue;

    private SessionPool(SoakContext context, ITransport[] transports)
    {
        (_context, _transports) = (context, transports);
        _pairs = new SessionPair[context.Settings.Sessions];
    }

    /// <summary>The streams of all sessions, both ends counted.</summary>
    public int StreamCount => _pairs.Sum(pair => pair.StreamCount);

    /// <summary>How many sockets all sessions take.</summary>
    public int Sockets => Enumerable.Range(0, _context.Settings.Sessions).Sum(index => TransportOf(index).Sockets);

    public static async Task<SessionPool> CreateAsync(SoakContext context, CancellationToken cancellationToken)
    {
        var pool = new SessionPool(context, [new LoopbackTransport(), new SlowLinkTransport(), await KestrelTransport.StartAsync(cancellationToken)]);
        for (var index = 0; index < pool._pairs.Length; index++)
        {
            pool._pairs[index] = await pool.ConnectAsync(index, new RandomSequence((ulong)context.Settings.Seed + (ulong)index).Next(), cancellationToken);
        }

        return pool;
    }

    /// <summary>A session on which a place for a stream was taken, which is to be left again.</summary>
    public SessionPair Pick(ref RandomSequence random)
    {
        while (true)
        {
            var pair = Volatile.Read(ref _pairs[random.Next(_pairs.Length)]);
            if (pair.TryEnter())
            {
                return pair;
            }
        }
    }

    /// <summary>The sessions that have streams.</summary>
    public IEnumerable<SessionPair> WithStreams() => _pairs.Where(pair => pair.StreamCount > 0);

    /// <summary>Whether it is a session that runs.</summary>
    public bool Uses(object session) => _pairs.Any(pair => pair.Client == session || pair.Server == session);

    /// <summary>Whether it is time to replace a session. True for one caller each time.</summary>
    public bool TakeReplacementDue()
    {
        var due = Volatile.Read(ref _replacementDue);
        return Environment.TickCount64 >= due
            && Interlocked.CompareExchange(ref _replacementDue, Environment.TickCount64 + ReplacementInterval, due) == due;
    }

    /// <summary>Puts a new session in the place of one that is then ended, in any way. The gate was entered. Never fails.</summary>
    public async Task ReplaceAsync(ulong seed)
    {
        try
        {
            var random = new RandomSequence(seed);
            var index = DrawIndex(ref random);
            var added = await ConnectAsync(index, random.Next(), CancellationToken.None);
            var old = Interlocked.Exchange(ref _pairs[index], added);
            Interlocked.Increment(ref _context.Totals.Sessions);
            _context.Gate.Enter();
            _ = EndAsync(old, (PairEnding)random.Next(Endings), random.OneIn(2));
        }
        catch (Exception error)
        {
            _context.Failure.Report("replacing a session", error);
        }
    }

    /// <summary>Ends all sessions.</summary>
    public async Task EndAllAsync()
    {
        await Task.WhenAll(_pairs.Select(pair =>
        {
            _context.Gate.Enter();
            return EndAsync(pair, PairEnding.DisposeBoth, atClient: true);
        }));
        _pairs = [];
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var transport in _transports)
        {
            await transport.DisposeAsync();
        }
    }

    // Those with even numbers live a few seconds, the others as many minutes.
    private int DrawIndex(ref RandomSequence random)
    {
        var index = random.Next(_pairs.Length);
        return random.OneIn(50) ? index : index & ~1;
    }

    private Task<SessionPair> ConnectAsync(int index, ulong seed, CancellationToken cancellationToken)
        => SessionPair.ConnectAsync(_context, $"{index}.{Interlocked.Increment(ref _created)}", TransportOf(index), seed, cancellationToken);

    private ITransport TransportOf(int index) => _transports[index % _transports.Length];

    // The gate was entered for it. Never fails.
    private async Task EndAsync(SessionPair pair, PairEnding ending, bool atClient)
    {
        try
        {
            await pair.EndAsync(ending, atClient);
        }
        catch (Exception error)
        {
            _context.Failure.Report($"{pair}, ended by {ending}", error);
        }
        finally
        {
            _context.Gate.Exit();
        }
    }
}
