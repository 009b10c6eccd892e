namespace Yamux.Tests.Abuse;

/// <summary>What the server of a test does with a session.</summary>
internal static class Applications
{
    /// <summary>Accepts nothing.</summary>
    public static Task Idle(YamuxSession session) => Task.CompletedTask;

    /// <summary>Accepts every stream, keeps it, and reads nothing.</summary>
    public static async Task AcceptAndKeep(YamuxSession session)
    {
        var streams = new List<YamuxStream>();
        await foreach (var stream in session.AcceptStreamsAsync())
        {
            streams.Add(stream);
        }

        GC.KeepAlive(streams);
    }

    /// <summary>Accepts every stream and closes it when it has read to its end.</summary>
    public static Task ReadAndClose(YamuxSession session) => ReadAndClose(session, static () => { });

    /// <summary>The same, and tells of each that it has closed.</summary>
    public static async Task ReadAndClose(YamuxSession session, Action closed)
    {
        await foreach (var stream in session.AcceptStreamsAsync())
        {
            _ = ServeAsync(stream);
        }

        async Task ServeAsync(YamuxStream stream)
        {
            await using (stream)
            {
                try
                {
                    await stream.Input.CopyToAsync(Stream.Null);
                }
                catch (YamuxException)
                {
                    // The peer has reset it; there is nobody to tell.
                }
            }

            closed();
        }
    }

    /// <summary>Accepts every stream and sends back what it reads.</summary>
    public static async Task Echo(YamuxSession session)
    {
        await foreach (var stream in session.AcceptStreamsAsync())
        {
            _ = EchoAsync(stream);
        }

        static async Task EchoAsync(YamuxStream stream)
        {
            await using (stream)
            {
                try
                {
                    await stream.Input.CopyToAsync(stream.Output);
                }
                catch (YamuxException)
                {
                    // The peer has reset it, or its session has ended.
                }
            }
        }
    }

    /// <summary>Accepts every stream and writes to it for ever.</summary>
    public static async Task Write(YamuxSession session)
    {
        await foreach (var stream in session.AcceptStreamsAsync())
        {
            _ = WriteAsync(stream);
        }

        static async Task WriteAsync(YamuxStream stream)
        {
            await using (stream)
            {
                try
                {
                    while (true)
                    {
                        await stream.Output.WriteAsync(new byte[65_536]);
                    }
                }
                catch (YamuxException)
                {
                    // The peer has reset it, or its session has ended.
                }
            }
        }
    }

    /// <summary>Accepts every stream and aborts it at once.</summary>
    public static async Task Abort(YamuxSession session)
    {
        await foreach (var stream in session.AcceptStreamsAsync())
        {
            stream.Abort();
        }
    }
}
