using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Backchannel.Tests.Kit;

namespace Backchannel.Tests.Authority;

/// <summary>A client that sends the bytes that it is told to, and understands as much of HTTP/2 as it needs to see what comes of it.</summary>
internal sealed class RawHttp2(IDuplexPipe transport)
{
    private readonly Dictionary<int, string> _bodies = [];

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
        while (true)
        {
            if (await ReadFrameAsync() is not { } frame)
            {
                return new Answer(null);
            }

            switch (frame.Header.Type)
            {
                case Http2Frames.GoAway:
                    return new Answer(null, GoAway: frame.Payload[7]);
                case Http2Frames.RstStream when frame.Header.StreamId == stream:
                    return new Answer(null, Reset: frame.Payload[3]);
                case Http2Frames.Data:
                    _bodies[frame.Header.StreamId] = _bodies.GetValueOrDefault(frame.Header.StreamId) + Encoding.UTF8.GetString(frame.Payload);
                    break;
            }

            if (frame.Header.StreamId == stream && (frame.Header.Flags & Http2Frames.EndStream) != 0)
            {
                return new Answer(_bodies.GetValueOrDefault(stream, ""));
            }
        }
    }

    /// <summary>Reads until the connection has ended: what became of each stream, and the code with which it ended.</summary>
    public async Task<(Dictionary<int, Answer> Answers, int? GoAway)> AnswersAsync()
    {
        Dictionary<int, Answer> answers = [];
        int? goAway = null;
        while (await ReadFrameAsync() is { } frame)
        {
            var stream = frame.Header.StreamId;
            switch (frame.Header.Type)
            {
                case Http2Frames.GoAway:
                    goAway = frame.Payload[7];
                    break;
                case Http2Frames.RstStream:
                    // It may come behind an answer, when that did not wait for the end of the request.
                    answers.TryAdd(stream, new Answer(null, Reset: frame.Payload[3]));
                    break;
                case Http2Frames.Data:
                    _bodies[stream] = _bodies.GetValueOrDefault(stream) + Encoding.UTF8.GetString(frame.Payload);
                    break;
            }

            if (frame.Header.Type is Http2Frames.Data or Http2Frames.Headers && (frame.Header.Flags & Http2Frames.EndStream) != 0)
            {
                answers[stream] = new Answer(_bodies.GetValueOrDefault(stream, ""));
            }
        }

        return (answers, goAway);
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
