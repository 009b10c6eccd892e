using System.Buffers;
using System.IO.Pipelines;
using Yamux.Internal;
using Yamux.IO;
using Yamux.Protocol;

namespace Yamux.Tests.Limits;

/// <summary>WIRE, "Limits": answers queued and unsent, where other frames are always queued with them.</summary>
public class QueuedAnswerTests
{
    private static readonly FrameHeader Pong = new(FrameType.Ping, FrameFlags.Ack, 0, 1);

    private readonly Pipe _pipe = new(DuplexPipe.Rendezvous);
    private readonly FrameWriter _writer;

    public QueuedAnswerTests() => _writer = new FrameWriter(
        _pipe.Writer,
        new SessionTimer(new YamuxOptions(), onPingDue: () => Assert.Fail("There is no keepalive."), onSilence: _ => { }),
        onFailed: error => Assert.Fail(error.ToString()),
        maxAnswers: 8,
        probes: false,
        TimeProvider.System,
        YamuxMetrics.OfProcess);

    [Fact]
    public void Answers_that_were_sent_do_not_count_though_the_backlog_is_never_empty()
    {
        AppendData();
        _writer.Flush();
        AppendData();
        for (var round = 0; round < 100; round++)
        {
            AppendData();

            Assert.True(_writer.TryAppendAnswer(Pong), $"refused in round {round}");

            // The transport takes what it was given, and gets the next piece of the backlog.
            Assert.True(_pipe.Reader.TryRead(out var read));
            _pipe.Reader.AdvanceTo(read.Buffer.End);
        }
    }

    [Fact]
    public void Answers_that_were_not_sent_count_wherever_they_are()
    {
        AppendData();
        _writer.Flush();
        AppendData();
        for (var i = 0; i < 8; i++)
        {
            Assert.True(_writer.TryAppendAnswer(Pong));
        }

        Assert.False(_writer.TryAppendAnswer(Pong));
        Assert.True(_pipe.Reader.TryRead(out var read));
        _pipe.Reader.AdvanceTo(read.Buffer.End); // 64 KiB of the backlog are moved; the answers stand behind them.
        Assert.False(_writer.TryAppendAnswer(Pong));
    }

    private void AppendData() => _writer.TryAppendData(1, new ReadOnlySequence<byte>(new byte[65_536]), new AsyncSignal());
}
