using System.Buffers;
using System.IO.Pipelines;

namespace Yamux.Tests.Kit;

/// <summary>The other end of a session's connection: it sends exactly the frames it is told to, and checks each that comes.</summary>
public sealed class ScriptedPeer(IDuplexPipe end, bool oneByteAtATime = false)
{
    private uint _barrier = 0xBA000000;

    public IDuplexPipe End => end;

    public Task SendAsync(params IEnumerable<Frame> frames) => SendRawAsync(frames.SelectMany(frame => frame.ToBytes()).ToArray());

    public async Task SendRawAsync(ReadOnlyMemory<byte> bytes)
    {
        var step = oneByteAtATime ? 1 : Math.Max(bytes.Length, 1);
        for (var sent = 0; sent < bytes.Length; sent += step)
        {
            await end.Output.WriteAsync(bytes.Slice(sent, step)).Guarded();
        }
    }

    /// <summary>The next frame, whole.</summary>
    public async Task<Frame> ReadAsync() => await TryReadAsync() ?? throw new InvalidOperationException("The connection ended; a frame was expected.");

    /// <summary>The next frame, whole. Null: the connection has ended between two frames.</summary>
    public async Task<Frame?> TryReadAsync()
    {
        var read = await ReadAtLeastAsync(Frame.HeaderSize);
        if (read.Buffer.IsEmpty && read.IsCompleted)
        {
            end.Input.AdvanceTo(read.Buffer.End);
            return null;
        }

        Assert.True(read.Buffer.Length >= Frame.HeaderSize, $"The connection ended after {read.Buffer.Length} bytes of a header.");
        var frame = Frame.Parse(read.Buffer.Slice(0, Frame.HeaderSize).ToArray());
        var size = Frame.HeaderSize + (frame.Kind == FrameKind.Data ? frame.Length : 0);
        if (read.Buffer.Length < size)
        {
            end.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            read = await ReadAtLeastAsync(size);
            Assert.True(read.Buffer.Length >= size, $"The connection ended in the payload of {frame}.");
        }

        frame = frame with { Payload = read.Buffer.Slice(Frame.HeaderSize, size - Frame.HeaderSize).ToArray() };
        end.Input.AdvanceTo(read.Buffer.GetPosition(size));
        return frame;
    }

    /// <summary>Waits until the session has sent something, and leaves it unread, so that a bounded connection stays full.</summary>
    public async Task PeekAsync()
    {
        var read = await end.Input.ReadAsync().Guarded();
        Assert.False(read.Buffer.IsEmpty);
        end.Input.AdvanceTo(read.Buffer.Start);
    }

    /// <summary>The next frames are exactly these.</summary>
    public async Task ExpectAsync(params IEnumerable<Frame> frames)
    {
        foreach (var expected in frames)
        {
            Assert.Equal(expected, await ReadAsync());
        }
    }

    /// <summary>Reads Data frames of one stream until there are so many bytes, and returns them.</summary>
    public async Task<byte[]> ReadDataAsync(uint id, int count)
    {
        var bytes = new List<byte>(count);
        while (bytes.Count < count)
        {
            var frame = await ReadAsync();
            Assert.Equal((FrameKind.Data, FrameFlag.None, id), (frame.Kind, frame.Flags, frame.StreamId));
            bytes.AddRange(frame.Payload);
        }

        Assert.Equal(count, bytes.Count);
        return [.. bytes];
    }

    /// <summary>
    /// Nothing more comes, and everything that was sent to the session has been dealt with: the next frames are the answers to
    /// two pings. (Two, because credit may stand behind the answer that was queued with it.)
    /// </summary>
    public async Task ExpectNothingAsync()
    {
        for (var i = 0; i < 2; i++)
        {
            _barrier++;
            await SendAsync(Frame.Ping(_barrier));
            await ExpectAsync(Frame.Pong(_barrier));
        }
    }

    /// <summary>
    /// All that comes before the answers to two pings, as in <see cref="ExpectNothingAsync"/>, where a test cannot say which frames.
    /// </summary>
    public async Task<List<Frame>> ReadAllAsync()
    {
        var frames = new List<Frame>();
        for (var i = 0; i < 2; i++)
        {
            _barrier++;
            await SendAsync(Frame.Ping(_barrier));
            while (await ReadAsync() is var frame && frame != Frame.Pong(_barrier))
            {
                frames.Add(frame);
            }
        }

        return frames;
    }

    /// <summary>
    /// The session says why it closes, and the peer does what a real one does then: it answers the ping that asks whether it has everything, or, told of
    /// an error, closes its side. Nothing more comes, and the connection ends.
    /// </summary>
    public async Task ExpectCloseAsync(uint code = 0)
    {
        await ExpectAsync(Frame.GoAway(code));
        if (code == 0)
        {
            var ping = await ReadAsync();
            Assert.Equal(Frame.Ping(ping.Length), ping);
            await SendAsync(Frame.Pong(ping.Length));
        }
        else
        {
            CloseOutput();
        }

        await ExpectEndAsync();
    }

    /// <summary>As <see cref="ExpectCloseAsync"/>, whatever the session has sent before.</summary>
    public async Task AnswerCloseAsync()
    {
        var isClosing = false;
        while (await TryReadAsync() is { } frame)
        {
            isClosing |= frame == Frame.GoAway(0);
            if (isClosing && frame == Frame.Ping(frame.Length))
            {
                await SendAsync(Frame.Pong(frame.Length));
            }
        }
    }

    /// <summary>The session has closed its connection, and sent nothing more before.</summary>
    public async Task ExpectEndAsync() => Assert.Null(await TryReadAsync());

    /// <summary>The session has dropped its connection without another word; what the transport still held may be lost.</summary>
    public async Task ExpectDroppedAsync() => await Assert.ThrowsAsync<YamuxException>(TryReadAsync);

    /// <summary>Closes the connection from this end.</summary>
    public void Close(Exception? error = null)
    {
        end.Output.Complete(error);
        end.Input.Complete(error);
    }

    /// <summary>Closes the sending half of the connection.</summary>
    public void CloseOutput(Exception? error = null) => end.Output.Complete(error);

    // Not the pipe's own ReadAtLeastAsync: that one counts no byte which was examined before, so it waits for a frame that it
    // holds whole, and while it waits the session may write without bound.
    private async Task<ReadResult> ReadAtLeastAsync(long count)
    {
        while (true)
        {
            var read = await end.Input.ReadAsync().Guarded();
            if (read.Buffer.Length >= count || read.IsCompleted)
            {
                return read;
            }

            end.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }
}
