using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Backchannel.Tests.Kit;

namespace Backchannel.Tests.Authority;

/// <summary>A client that sends the bytes that it is told to, and understands as much of HTTP/2 as it needs to see what comes of it.</summary>
internal sealed class RawHttp2(IDuplexPipe transport)
{
    private readonly Dictionary<int, string> _bodies = [];

    // The server answers in the order in which its handlers end.
    private readonly Dictionary<int, Answer> _answers = [];

    public async Task SendAsync(params byte[][] pieces)
    {
        foreach (var piece in pieces)
        {
            await transport.Output.WriteAsync(piece).Guarded();
        }
    }

    public async Task<Answer> CallAsync(int stream, byte[] request)
    {
        await SendAsync(request);
        return await AnswerAsync(stream);
    }

    /// <summary>Reads until <paramref name="stream"/> or the connection ends.</summary>
    public async Task<Answer> AnswerAsync(int stream)
    {
        Answer? answer;
        while (!_answers.Remove(stream, out answer))
        {
            if (await ReadFrameAsync() is not { } frame)
            {
                return new Answer(null);
            }

            if (frame.Header.Type == Http2Frames.GoAway)
            {
                return new Answer(null, GoAway: frame.Payload[7]);
            }

            Note(frame.Header, frame.Payload);
        }

        return answer;
    }

    /// <summary>Reads until the connection has ended: what became of each stream, and the code with which it ended.</summary>
    public async Task<(Dictionary<int, Answer> Answers, int? GoAway)> AnswersAsync()
    {
        int? goAway = null;
        while (await ReadFrameAsync() is { } frame)
        {
            if (frame.Header.Type == Http2Frames.GoAway)
            {
                goAway = frame.Payload[7];
            }

            Note(frame.Header, frame.Payload);
        }

        return (_answers, goAway);
    }

    private void Note(Http2FrameHeader header, byte[] payload)
    {
        var stream = header.StreamId;
        switch (header.Type)
        {
            case Http2Frames.RstStream:
                // It may come behind an answer, when that did not wait for the end of the request.
                _answers.TryAdd(stream, new Answer(null, Reset: payload[3]));
                return;
            case Http2Frames.Data:
                _bodies[stream] = _bodies.GetValueOrDefault(stream) + Encoding.UTF8.GetString(payload);
                break;
        }

        if (header.Type is Http2Frames.Data or Http2Frames.Headers && (header.Flags & Http2Frames.EndStream) != 0)
        {
            _answers[stream] = new Answer(_bodies.GetValueOrDefault(stream, ""));
        }
    }

    private async Task<(Http2FrameHeader Header, byte[] Payload)?> ReadFrameAsync()
    {
        var read = await transport.Input.ReadAtLeastAsync(Http2FrameHeader.Size).Guarded();
        if (read.Buffer.Length < Http2FrameHeader.Size)
        {
            return null;
        }

        var header = Http2FrameHeader.Read(read.Buffer);
        transport.Input.AdvanceTo(read.Buffer.GetPosition(Http2FrameHeader.Size));
        if (header.Length == 0)
        {
            return (header, []);
        }

        read = await transport.Input.ReadAtLeastAsync(header.Length).Guarded();
        var payload = read.Buffer.Slice(0, header.Length).ToArray();
        transport.Input.AdvanceTo(read.Buffer.GetPosition(header.Length));
        return (header, payload);
    }
}
