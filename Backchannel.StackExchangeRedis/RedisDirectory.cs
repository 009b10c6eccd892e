using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Backchannel.StackExchangeRedis;

/// <summary>The directory in Redis, 6 or newer. docs/replicas.md says what is kept there.</summary>
internal sealed class RedisDirectory : BackchannelDirectory
{
    // Of what somebody else has written no more is logged.
    private const int MostShown = 64;

    private readonly RedisDirectoryOptions _options;
    private readonly TimeProvider _timeProvider;
    private readonly ILogger _logger;
    private readonly RedisConnection _connection;
    private readonly RedisClock _clock;

    public RedisDirectory(IOptions<RedisDirectoryOptions> options, IOptions<BackchannelServerOptions> server, ILoggerFactory loggers)
    {
        _options = options.Value;
        _options.Validate();
        _timeProvider = server.Value.Yamux.TimeProvider;
        _logger = loggers.CreateLogger("Backchannel.StackExchangeRedis");
        _clock = new RedisClock(_timeProvider);
        _connection = new RedisConnection(_options, OnChanged, _timeProvider, _logger);
    }

    private RedisKey Replicas => _options.KeyPrefix + "replicas";

    private string Channel => _options.KeyPrefix + "changed";

    public override async ValueTask<ReplicaLease> RenewAsync(ReplicaRecord replica, TimeSpan lease, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(replica);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(lease, TimeSpan.Zero);
        var answer = await RunAsync(
            RedisScripts.Renew,
            [Replicas],
            [replica.Id, (long)lease.TotalMilliseconds, replica.State == ReplicaState.Draining ? "draining" : "live", replica.Address.ToString(), RandomNumberGenerator.GetHexString(16, lowercase: true)],
            cancellationToken).ConfigureAwait(false);
        var live = new List<ReplicaRecord>();
        for (var i = 2; i + 1 < answer.Length; i += 2)
        {
            var (id, value) = (answer[i].ToString(), answer[i + 1].ToString());
            if (value.Split(' ') is [_, "live" or "draining", var text] parts && Uri.TryCreate(text, UriKind.Absolute, out var address))
            {
                live.Add(new ReplicaRecord(id, address, parts[1] == "draining" ? ReplicaState.Draining : ReplicaState.Live));
            }
            else
            {
                RedisLog.Garbage(_logger, Replicas.ToString(), Shown(id), Shown(value));
            }
        }

        return new ReplicaLease(answer[0].ToString(), (int)answer[1] == 1, live);
    }

    public override async ValueTask LeaveAsync(string replicaId, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(replicaId);
        await _connection.RunAsync(database => database.HashDeleteAsync(Replicas, replicaId), cancellationToken).ConfigureAwait(false);
    }

    public override async ValueTask<PeerRegistration> RegisterAsync(
        PeerRecord record, TimeSpan age, bool alone, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(record);
        RedisValue[] arguments =
        [
            record.Replica, record.Attachment, record.Generation, age.Ticks / TimeSpan.TicksPerMicrosecond, record.Instance, alone ? 1 : 0, MaxRecordsPerName,
            (long)_options.RecordLifetime.TotalMilliseconds, _clock.DeadlineFor(_options.OperationTimeout), Channel, record.Name,
        ];
        var answer = await RunAsync(RedisScripts.Register, [NameKey(record.Name), Replicas], arguments, cancellationToken).ConfigureAwait(false);
        var result = (int)answer[0];
        _clock.Set((long)answer[3]);
        return result < 0
            ? throw new DirectoryUnavailableException("the directory in Redis was asked too long ago: what it was to write may be outdated, and it has not written it")
            : new PeerRegistration((PeerRegistrationResult)result, (long)answer[1], (long)answer[2]);
    }

    public override async ValueTask UnregisterAsync(PeerRecord record, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(record);
        await _connection.RunAsync(
            database => database.ScriptEvaluateAsync(RedisScripts.Unregister, [NameKey(record.Name)], [Field(record), Channel, record.Name]), cancellationToken).ConfigureAwait(false);
    }

    public override async ValueTask<IReadOnlyList<PeerRecord>> FindAsync(string name, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        HashEntry[] entries;
        try
        {
            entries = await _connection.RunAsync(database => database.HashGetAllAsync(NameKey(name)), cancellationToken).ConfigureAwait(false);
        }
        catch (DirectoryUnavailableException failure) when (failure.InnerException?.Message.Contains("WRONGTYPE", StringComparison.Ordinal) == true)
        {
            // The next registration of the name makes a record of it.
            RedisLog.Garbage(_logger, NameKey(name).ToString(), "", "no hash");
            return [];
        }

        var records = new List<PeerRecord>(entries.Length);
        foreach (var entry in entries)
        {
            if (Parse(name, entry.Name.ToString(), entry.Value.ToString()) is { } record)
            {
                records.Add(record);
            }
            else
            {
                RedisLog.Garbage(_logger, NameKey(name).ToString(), Shown(entry.Name.ToString()), Shown(entry.Value.ToString()));
            }
        }

        records.Sort(static (one, other) => other.Generation.CompareTo(one.Generation));
        return records;
    }

    public override async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    private static string Field(PeerRecord record) => FormattableString.Invariant($"{record.Replica}:{record.Attachment}");

    private static PeerRecord? Parse(string name, string field, string value)
    {
        var colon = field.IndexOf(':', StringComparison.Ordinal);
        var end = value.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && end > 0
            && long.TryParse(field.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var attachment)
            && long.TryParse(value.AsSpan(0, end), NumberStyles.None, CultureInfo.InvariantCulture, out var generation)
            ? new PeerRecord(name, field[..colon], attachment, generation, value[(end + 1)..])
            : null;
    }

    private static string Shown(string text)
        => string.Concat(text.Take(MostShown).Select(character => character is >= ' ' and <= '~' ? character : '?')) + (text.Length > MostShown ? "…" : "");

    private RedisKey NameKey(string name) => _options.KeyPrefix + "name:" + name;

    private async Task<RedisResult[]> RunAsync(string script, RedisKey[] keys, RedisValue[] arguments, CancellationToken cancellationToken)
    {
        var answer = await _connection.RunAsync(database => database.ScriptEvaluateAsync(script, keys, arguments), cancellationToken).ConfigureAwait(false);
        return (RedisResult[])answer!;
    }
}
