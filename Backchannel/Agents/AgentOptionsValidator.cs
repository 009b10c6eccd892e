using System.Text;
using Microsoft.Extensions.Options;

namespace Backchannel;

/// <summary>Says of each option of an agent that is out of range what it is, and what it may be.</summary>
internal sealed class AgentOptionsValidator : IValidateOptions<BackchannelAgentOptions>
{
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromDays(1);
    private static readonly TimeSpan LeastKeepAlive = TimeSpan.FromSeconds(1);

    public ValidateOptionsResult Validate(string? name, BackchannelAgentOptions options)
    {
        var faults = new List<string>();
        if (!Uri.TryCreate(options.Address, UriKind.Absolute, out var address) || (address.Scheme != Uri.UriSchemeHttp && address.Scheme != Uri.UriSchemeHttps))
        {
            Add(nameof(options.Address), $"\"{options.Address}\"", "the server's address, https://HOST:PORT or http://HOST:PORT");
        }
        else if (address.PathAndQuery != "/" || address.Fragment.Length > 0 || address.UserInfo.Length > 0)
        {
            Add(nameof(options.Address), $"\"{address.GetComponents(UriComponents.HttpRequestUrl, UriFormat.UriEscaped)}\"", "an address without a user, a path, a query and a fragment");
        }

        if (options.Name is null || (options.Name.Length > 0 && !PeerName.IsValid(options.Name)))
        {
            Add(nameof(options.Name), options.Name is null ? "null" : PeerName.Shown(options.Name), $"empty, or {PeerName.Rule}");
        }

        if (options.Labels.Count > AttachRequestCheck.MaxLabels)
        {
            Add(nameof(options.Labels), $"{options.Labels.Count}", $"at most {AttachRequestCheck.MaxLabels}");
        }

        if (options.Labels.Sum(label => Encoding.UTF8.GetByteCount(label.Key) + (long)Encoding.UTF8.GetByteCount(label.Value)) is var bytes and > AttachRequestCheck.MaxLabelBytes)
        {
            Add(nameof(options.Labels), $"{bytes} bytes", $"at most {AttachRequestCheck.MaxLabelBytes} bytes of keys and values together");
        }

        if (options.Version is { } version && Encoding.UTF8.GetByteCount(version) > AttachRequestCheck.MaxTextBytes)
        {
            Add(nameof(options.Version), $"{Encoding.UTF8.GetByteCount(version)} bytes", $"at most {AttachRequestCheck.MaxTextBytes} bytes");
        }

        if (options.MaxBackoff <= TimeSpan.Zero || options.MaxBackoff > LongestBackoff)
        {
            Add(nameof(options.MaxBackoff), $"{options.MaxBackoff}", $"more than 0 and at most {LongestBackoff}");
        }
        else if (options.MinBackoff <= TimeSpan.Zero || options.MinBackoff > options.MaxBackoff)
        {
            Add(nameof(options.MinBackoff), $"{options.MinBackoff}", $"more than 0 and at most {nameof(options.MaxBackoff)}, {options.MaxBackoff}");
        }

        CheckTimeout(nameof(options.AttachTimeout), options.AttachTimeout, TimeSpan.Zero, mayBeInfinite: false);
        CheckTimeout(nameof(options.DrainTimeout), options.DrainTimeout, TimeSpan.Zero, mayBeInfinite: true);
        CheckTimeout(nameof(options.KeepAliveInterval), options.KeepAliveInterval, LeastKeepAlive, mayBeInfinite: false);
        CheckTimeout(nameof(options.KeepAliveTimeout), options.KeepAliveTimeout, LeastKeepAlive, mayBeInfinite: false);
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);

        void CheckTimeout(string option, TimeSpan value, TimeSpan least, bool mayBeInfinite)
        {
            if (mayBeInfinite && value == Timeout.InfiniteTimeSpan)
            {
                return;
            }

            if (value <= TimeSpan.Zero || value < least || value > OptionCheck.LongestTimeout)
            {
                Add(option, $"{value}", $"{(least > TimeSpan.Zero ? $"at least {least}" : "more than 0")} and at most {OptionCheck.LongestTimeout}{(mayBeInfinite ? ", or Timeout.InfiniteTimeSpan" : "")}");
            }
        }

        void Add(string option, string value, string range) => faults.Add($"{nameof(BackchannelAgentOptions)}.{option} is {value}; it must be {range}.");
    }
}
