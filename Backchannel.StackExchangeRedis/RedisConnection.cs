using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Backchannel.StackExchangeRedis;

/// <summary>The connection to Redis: made when it is first needed, and made anew when it has answered nothing for three operations, which a half-open one does for a quarter of an hour.</summary>
internal sealed class RedisConnection(RedisDirectoryOptions options, Action<string> onChanged, TimeProvider timeProvider, ILogger logger) : IAsyncDisposable
{
    private const int MostSilent = 3;

    private readonly Lock _gate = new();
    private readonly ConfigurationOptions _configuration = Configure(options);
    private Task<IConnectionMultiplexer>? _connecting;
    private int _silent; // Operations in a row that were not answered in time. Interlocked.
    private volatile string? _lastFailure;
    private bool _isDisposed;

    private RedisChannel Channel => RedisChannel.Literal(options.KeyPrefix + "changed");

    /// <summary>Runs one operation, within its time.</summary>
    /// <exception cref="DirectoryUnavailableException">It has failed, or was not answered in time.</exception>
    public async Task<T> RunAsync<T>(Func<IDatabase, Task<T>> operation, CancellationToken cancellationToken)
    {
        var connecting = Connect();
        try
        {
            var connection = await connecting.WaitAsync(options.OperationTimeout, timeProvider, cancellationToken).ConfigureAwait(false);
            var result = await operation(connection.GetDatabase()).WaitAsync(options.OperationTimeout, timeProvider, cancellationToken).ConfigureAwait(false);
            Volatile.Write(ref _silent, 0);
            _lastFailure = null;
            return result;
        }
        catch (Exception failure) when (failure is TimeoutException or RedisException or ObjectDisposedException)
        {
            if (failure is TimeoutException && Interlocked.Increment(ref _silent) >= MostSilent)
            {
                await ReplaceAsync(connecting).ConfigureAwait(false);
            }

            throw new DirectoryUnavailableException(Explain(failure), failure);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Task<IConnectionMultiplexer>? connecting;
        lock (_gate)
        {
            _isDisposed = true;
            connecting = _connecting;
            _connecting = null;
        }

        await CloseAsync(connecting).ConfigureAwait(false);
    }

    // What is given up must not run later: a delete from before an outage would destroy what was written since. And a Redis that is away when the server starts is no reason not to start.
    private static ConfigurationOptions Configure(RedisDirectoryOptions options)
    {
        var copy = options.Configuration.Clone();
        copy.BacklogPolicy = BacklogPolicy.FailFast;
        copy.AbortOnConnectFail = false;
        copy.ConnectTimeout = Math.Min(copy.ConnectTimeout, (int)Math.Ceiling(options.OperationTimeout.TotalMilliseconds / 2)); // Or nobody would hear why it could not connect.
        copy.ReconnectRetryPolicy = new LinearRetry(500);
        return copy;
    }

    private Task<IConnectionMultiplexer> Connect()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, typeof(RedisDirectory));
            if (_connecting is null or { IsFaulted: true } or { IsCanceled: true })
            {
                _connecting = Task.Run(ConnectAsync);
            }

            return _connecting;
        }
    }

    private async Task<IConnectionMultiplexer> ConnectAsync()
    {
        var connection = options.ConnectionFactory is { } factory
            ? await factory(_configuration).ConfigureAwait(false)
            : await ConnectionMultiplexer.ConnectAsync(_configuration).ConfigureAwait(false);
        connection.ConnectionFailed += (_, failed) => _lastFailure = $"{failed.FailureType}: {failed.Exception?.GetBaseException().Message.Split(", ")[0]}";
        connection.ErrorMessage += (_, error) => _lastFailure = error.Message;
        try
        {
            await connection.GetSubscriber().SubscribeAsync(Channel, (_, name) => onChanged(name.ToString())).ConfigureAwait(false);
        }
        catch (RedisException failure)
        {
            // It subscribes when it connects.
            _lastFailure = failure.GetBaseException().Message;
        }

        return connection;
    }

    private async Task ReplaceAsync(Task<IConnectionMultiplexer> silent)
    {
        lock (_gate)
        {
            if (_connecting != silent)
            {
                return; // Somebody else has.
            }

            _connecting = null;
            Volatile.Write(ref _silent, 0);
        }

        RedisLog.Replaced(logger, Where, MostSilent, options.OperationTimeout);
        await CloseAsync(silent).ConfigureAwait(false);
    }

    // Of one that does not answer nothing is waited for.
    private async Task CloseAsync(Task<IConnectionMultiplexer>? connecting)
    {
        if (connecting is null)
        {
            return;
        }

        try
        {
            var connection = await connecting.WaitAsync(options.OperationTimeout, timeProvider).ConfigureAwait(false);
            await connection.CloseAsync(allowCommandsToComplete: false).WaitAsync(options.OperationTimeout, timeProvider).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is TimeoutException or RedisException or ObjectDisposedException)
        {
            RedisLog.CloseFailed(logger, Where, failure);
        }
    }

    private string Where => string.Join(", ", _configuration.EndPoints.Select(Format));

    private static string? Format(System.Net.EndPoint endPoint) => endPoint is System.Net.DnsEndPoint dns ? FormattableString.Invariant($"{dns.Host}:{dns.Port}") : endPoint.ToString();

    private string Explain(Exception failure)
    {
        var said = $"{failure.Message} {failure.InnerException?.Message} {_lastFailure}";
        var advice = said switch
        {
            _ when Says("WRONGPASS") || Says("invalid password") || Says("invalid username-password") => "the password, or the user, is wrong: the password= and user= of the configuration are to be those of Redis",
            _ when Says("NOAUTH") || Says("AuthenticationFailure") => "it wants a password (or another one): put password=… into the configuration",
            _ when Says("READONLY") || Says("read only replica") => "it is a read-only replica of another Redis, and the directory writes: name the primary in the configuration",
            _ when Says("NOPERM") => "its user may not do what the directory does (EVALSHA, HSET, HDEL, HGETALL, HGET, DEL, TYPE, TIME, PEXPIRE, PUBLISH, SUBSCRIBE): give it these in the ACL",
            _ when Says("WRONGTYPE") => $"a key of the directory's holds what is not its own: give the directory a KeyPrefix of its own, which is now \"{options.KeyPrefix}\"",
            _ when Says("OOM ") => "its memory is full",
            _ when failure is TimeoutException => $"it did not answer within {options.OperationTimeout.TotalSeconds} s",
            _ => _lastFailure ?? failure.GetBaseException().Message,
        };
        return $"the directory in Redis at {Where} cannot be used: {advice}";

        bool Says(string what) => said.Contains(what, StringComparison.OrdinalIgnoreCase);
    }
}
