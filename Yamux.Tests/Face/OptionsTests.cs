namespace Yamux.Tests.Face;

/// <summary>Each option: its default, its range, and an error that names option, value and range.</summary>
public class OptionsTests
{
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(uint.MaxValue - 1);

    public static TheoryData<string, int, int> Numbers => new()
    {
        { nameof(YamuxOptions.AcceptBacklog), 1, int.MaxValue },
        { nameof(YamuxOptions.MaxUnacknowledgedStreams), 1, int.MaxValue },
        { nameof(YamuxOptions.MaxInboundStreams), 1, int.MaxValue },
        { nameof(YamuxOptions.InitialStreamWindowSize), 262_144, 16 * 1024 * 1024 },
        { nameof(YamuxOptions.MaxStreamWindowSize), 262_144, 1 << 30 },
        { nameof(YamuxOptions.MaxSessionWindowGrowth), 0, int.MaxValue },
        { nameof(YamuxOptions.MaxQueuedAnswers), 1, int.MaxValue },
        { nameof(YamuxOptions.MaxEarlyResets), 1, int.MaxValue },
        { nameof(YamuxOptions.MaxEmptyFrames), 1, int.MaxValue },
    };

    public static TheoryData<string> Times =>
    [
        nameof(YamuxOptions.StreamOpenTimeout),
        nameof(YamuxOptions.StreamCloseTimeout),
        nameof(YamuxOptions.StreamDrainTimeout),
        nameof(YamuxOptions.StreamDiscardTimeout),
        nameof(YamuxOptions.ConnectionWriteTimeout),
        nameof(YamuxOptions.KeepAliveInterval),
        nameof(YamuxOptions.KeepAliveTimeout),
        nameof(YamuxOptions.PingTimeout),
        nameof(YamuxOptions.RateLimitPeriod),
    ];

    [Fact]
    public void The_defaults_are_those_of_the_protocol_page()
    {
        var options = new YamuxOptions();

        Assert.Equal(256, options.AcceptBacklog);
        Assert.Equal(256, options.MaxUnacknowledgedStreams);
        Assert.Equal(1024, options.MaxInboundStreams);
        Assert.Equal(1024 * 1024, options.InitialStreamWindowSize);
        Assert.Equal(16 * 1024 * 1024, options.MaxStreamWindowSize);
        Assert.Equal(64 * 1024 * 1024, options.MaxSessionWindowGrowth);
        Assert.Equal(1024, options.MaxQueuedAnswers);
        Assert.Equal(1000, options.MaxEarlyResets);
        Assert.Equal(10_000, options.MaxEmptyFrames);
        Assert.Equal(TimeSpan.FromSeconds(75), options.StreamOpenTimeout);
        Assert.Equal(TimeSpan.FromMinutes(5), options.StreamCloseTimeout);
        Assert.Equal(TimeSpan.FromMinutes(30), options.StreamDrainTimeout);
        Assert.Equal(Timeout.InfiniteTimeSpan, options.StreamDiscardTimeout);
        Assert.Equal(TimeSpan.FromSeconds(10), options.ConnectionWriteTimeout);
        Assert.Equal(TimeSpan.FromSeconds(30), options.KeepAliveInterval);
        Assert.Equal(TimeSpan.FromSeconds(10), options.KeepAliveTimeout);
        Assert.Equal(TimeSpan.FromSeconds(10), options.PingTimeout);
        Assert.Equal(TimeSpan.FromSeconds(10), options.RateLimitPeriod);
        Assert.True(options.EnableKeepAlive);
        Assert.Same(TimeProvider.System, options.TimeProvider);
        options.Validate();
    }

    [Theory]
    [MemberData(nameof(Numbers))]
    public void A_number_out_of_range_is_refused_with_its_name_its_value_and_the_range(string name, int min, int max)
    {
        Set(name, min).Validate();
        Set(name, max).Validate();
        AssertRefused(name, min - 1, $"it must be {min} to {max}.");
        AssertRefused(name, int.MinValue, $"it must be {min} to {max}.");
        if (max < int.MaxValue)
        {
            AssertRefused(name, max + 1, $"it must be {min} to {max}.");
        }
    }

    [Theory]
    [MemberData(nameof(Times))]
    public void A_time_out_of_range_is_refused_with_its_name_its_value_and_the_range(string name)
    {
        Set(name, TimeSpan.FromTicks(1)).Validate();
        Set(name, Longest).Validate();
        Set(name, Timeout.InfiniteTimeSpan).Validate();
        var range = $"it must be more than 0 and at most {Longest}, or Timeout.InfiniteTimeSpan to switch it off.";
        AssertRefused(name, TimeSpan.Zero, range);
        AssertRefused(name, TimeSpan.FromTicks(-1), range);
        AssertRefused(name, Longest + TimeSpan.FromTicks(1), range);
        AssertRefused(name, TimeSpan.MaxValue, range);
    }

    [Fact]
    public void A_stream_starts_with_the_greatest_window_where_that_is_less_than_1_MiB()
    {
        var options = new YamuxOptions { MaxStreamWindowSize = 262_144 };

        Assert.Equal(262_144, options.InitialStreamWindowSize);
        options.Validate();
    }

    [Fact]
    public void A_stream_cannot_start_with_a_window_beyond_the_greatest()
    {
        var options = new YamuxOptions { InitialStreamWindowSize = 1_000_001, MaxStreamWindowSize = 1_000_000 };

        var error = Assert.Throws<ArgumentOutOfRangeException>(options.Validate);

        Assert.Equal((nameof(YamuxOptions.InitialStreamWindowSize), 1_000_001), (error.ParamName, error.ActualValue));
        Assert.Contains(
            "InitialStreamWindowSize is 1000001; it must be 262144 to 1000000. The latter is MaxStreamWindowSize.", error.Message, StringComparison.Ordinal);
        options.InitialStreamWindowSize = 1_000_000;
        options.Validate();
    }

    [Fact]
    public void There_is_no_clock_but_one_that_is_given()
    {
        var error = Assert.Throws<ArgumentNullException>(new YamuxOptions { TimeProvider = null! }.Validate);

        Assert.Equal(nameof(YamuxOptions.TimeProvider), error.ParamName);
    }

    [Fact]
    public void Every_option_is_tested_here()
    {
        var tested = Numbers.Select(row => row.Data.Item1).Concat(Times.Select(row => row.Data)).Append(nameof(YamuxOptions.EnableKeepAlive)).Append(nameof(YamuxOptions.TimeProvider))
            .Append(nameof(YamuxOptions.MeterFactory));

        Assert.Equal(typeof(YamuxOptions).GetProperties().Select(property => property.Name).Order(), tested.Order());
    }

    [Fact]
    public void A_session_refuses_options_that_are_not_valid()
    {
        var (end, _) = DuplexPipe.CreatePair();

        Assert.Throws<ArgumentOutOfRangeException>(() => YamuxSession.Create(end, YamuxRole.Client, new YamuxOptions { AcceptBacklog = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => YamuxSession.Create(end, (YamuxRole)2));
        Assert.Throws<ArgumentNullException>(() => YamuxSession.Create((System.IO.Pipelines.IDuplexPipe)null!, YamuxRole.Client));
        Assert.Throws<ArgumentNullException>(() => YamuxSession.Create((Stream)null!, YamuxRole.Client));
        Assert.Throws<ArgumentException>(() => YamuxSession.Create(new MemoryStream([], writable: false), YamuxRole.Client));
    }

    [Fact]
    public async Task Later_changes_of_the_options_have_no_effect()
    {
        YamuxOptions? mine = null;
        await using var t = Scenario.Client(options => mine = options);

        mine!.FixWindows(1 << 30);

        await t.Session.OpenStreamAsync().Guarded();
        await t.Peer.ExpectAsync(Frame.Syn(1));
    }

    private static YamuxOptions Set(string name, object value)
    {
        var options = new YamuxOptions();
        typeof(YamuxOptions).GetProperty(name)!.SetValue(options, value);
        return options;
    }

    private static void AssertRefused(string name, object value, string range)
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(Set(name, value).Validate);
        Assert.Equal(name, error.ParamName);
        Assert.Equal(value, error.ActualValue);
        Assert.Contains(FormattableString.Invariant($"YamuxOptions.{name} is {value}; {range}"), error.Message, StringComparison.Ordinal);
    }
}
