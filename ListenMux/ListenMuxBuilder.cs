using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace ListenMux;

/// <summary>Says which connections of an endpoint go to which handler, by their first 11 bytes.</summary>
public sealed class ListenMuxBuilder
{
    private static readonly TimeSpan LongestTimeout = TimeSpan.FromMilliseconds(uint.MaxValue - 1);

    private readonly List<KeyValuePair<byte[], ListenMuxHandler>> _handlers = [];

    internal ListenMuxBuilder()
    {
    }

    /// <summary>The length in bytes of every magic: 11, the longest beginning that tells a protocol from HTTP/2's preface (Gitaly: listenmux).</summary>
    public const int MagicLength = 11;

    /// <summary>
    /// How long a connection may take to send its first 11 bytes; then it is closed. Default 120 s, as grpc-go gives;
    /// <see cref="Timeout.InfiniteTimeSpan"/> switches it off.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not more than 0, or exceeds 2³²−2 milliseconds.</exception>
    public TimeSpan HandshakeTimeout
    {
        get;
        set
        {
            if (value != Timeout.InfiniteTimeSpan && (value <= TimeSpan.Zero || value > LongestTimeout))
            {
                throw new ArgumentOutOfRangeException(
                    nameof(value),
                    value,
                    $"{nameof(HandshakeTimeout)} is {value}; it must be more than 0 and at most {LongestTimeout}, or Timeout.InfiniteTimeSpan to switch it off.");
            }

            field = value;
        }
    } = TimeSpan.FromSeconds(120);

    /// <summary>The clock of <see cref="HandshakeTimeout"/>. Default <see cref="TimeProvider.System"/>.</summary>
    /// <exception cref="ArgumentNullException">The value is null.</exception>
    public TimeProvider TimeProvider
    {
        get;
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            field = value;
        }
    } = TimeProvider.System;

    /// <summary>Sends connections that begin with <paramref name="magic"/> to <paramref name="handler"/>.</summary>
    /// <param name="magic">Exactly 11 bytes.</param>
    /// <param name="handler">What serves such a connection.</param>
    /// <returns>This builder.</returns>
    /// <exception cref="ArgumentException">The magic is not 11 bytes long, or was registered before.</exception>
    public ListenMuxBuilder Map(ReadOnlySpan<byte> magic, ListenMuxHandler handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        if (magic.Length != MagicLength)
        {
            throw new ArgumentException($"The magic \"{Printable(magic)}\" has {magic.Length} bytes; it must have {MagicLength}.", nameof(magic));
        }

        if (TryGetHandler(magic, out _))
        {
            throw new ArgumentException($"The magic \"{Printable(magic)}\" is registered already.", nameof(magic));
        }

        _handlers.Add(new(magic.ToArray(), handler));
        return this;
    }

    internal bool TryGetHandler(ReadOnlySpan<byte> magic, [NotNullWhen(true)] out ListenMuxHandler? handler)
    {
        foreach (var (key, value) in _handlers)
        {
            if (magic.SequenceEqual(key))
            {
                handler = value;
                return true;
            }
        }

        handler = null;
        return false;
    }

    private static string Printable(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder();
        foreach (var b in bytes)
        {
            _ = b is >= 0x20 and < 0x7f ? text.Append((char)b) : text.Append($"\\x{b:x2}");
        }

        return text.ToString();
    }
}
