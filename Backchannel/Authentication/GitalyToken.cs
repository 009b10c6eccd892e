using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Backchannel;

/// <summary>
/// A token that proves the knowledge of a shared secret at a time, as Gitaly's clients and servers exchange it:
/// <c>v2.&lt;hex HMAC-SHA256 of the time, with the secret&gt;.&lt;time, in seconds since 1970&gt;</c>.
/// </summary>
/// <remarks>Whoever sees a token can use it until it expires: it belongs in TLS, or on a Unix socket.</remarks>
public static class GitalyToken
{
    private const string Version = "v2";

    /// <summary>How far the time of a token may be from that of its verifier, in either direction: 30 s, as in Gitaly.</summary>
    public static TimeSpan Tolerance { get; } = TimeSpan.FromSeconds(30);

    /// <summary>Makes a token.</summary>
    /// <param name="secret">The shared secret; its UTF-8 bytes are the key. Not empty.</param>
    /// <param name="time">The time of the token, which counts in whole seconds.</param>
    /// <exception cref="ArgumentException">The secret is empty.</exception>
    public static string Create(string secret, DateTimeOffset time)
    {
        ArgumentException.ThrowIfNullOrEmpty(secret);
        var seconds = time.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return $"{Version}.{Convert.ToHexStringLower(Sign(secret, seconds))}.{seconds}";
    }

    /// <summary>Whether a token was made with this secret, at about this time. Takes the same time wherever a wrong one differs.</summary>
    /// <param name="token">What the other side sent.</param>
    /// <param name="secret">The shared secret. Not empty.</param>
    /// <param name="now">The time of the verifier; <see cref="Tolerance"/> says how far the token's may be from it.</param>
    /// <exception cref="ArgumentException">The secret is empty.</exception>
    public static bool Verify(string token, string secret, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(token);
        ArgumentException.ThrowIfNullOrEmpty(secret);
        return FindFault(token, secret, now) == TokenFault.None;
    }

    /// <summary>What is wrong with a token.</summary>
    internal static TokenFault FindFault(string token, string secret, DateTimeOffset now)
    {
        // What is behind the second dot is signed, with the dots that may be in it.
        if (token.Split('.', 3) is not [var version, var hex, var issued] || !TryReadHex(hex, out var signature))
        {
            return TokenFault.Malformed;
        }

        if (version != Version)
        {
            return TokenFault.Version;
        }

        if (!CryptographicOperations.FixedTimeEquals(signature, Sign(secret, issued)))
        {
            return TokenFault.Signature;
        }

        if (!long.TryParse(issued, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds))
        {
            return TokenFault.Time;
        }

        return IsNear(seconds, now) ? TokenFault.None : TokenFault.Expired;
    }

    private static bool TryReadHex(string hex, out byte[] bytes)
    {
        bytes = new byte[hex.Length / 2];
        return Convert.FromHexString(hex, bytes, out _, out _) == OperationStatus.Done;
    }

    private static byte[] Sign(string secret, string seconds) => HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(seconds));

    private static bool IsNear(long seconds, DateTimeOffset now)
    {
        // A token may name a time that no clock can.
        var issued = (Int128)seconds * TimeSpan.TicksPerSecond;
        return Int128.Abs(issued - (now.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks)) <= Tolerance.Ticks;
    }
}
