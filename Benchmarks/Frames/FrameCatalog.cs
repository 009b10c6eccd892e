using Yamux.Protocol;
using static Yamux.Protocol.FrameFlags;
using static Yamux.Protocol.FrameType;

namespace Benchmarks.Frames;

/// <summary>Every kind of frame, in every order that might cost more than another.</summary>
internal static class FrameCatalog
{
    private const uint Backlog = Ids.Count;

    private static readonly IEnumerable<uint> Beyond = Ids.Rising.Select(id => id + (2 * Backlog));

    public static IReadOnlyList<FrameCase> All { get; } =
    [
        .. Opening("SYN, ids rise", Ids.Rising),
        .. Opening("SYN, ids jump by 8,192", Ids.Jumping(8192)),
        .. Opening("SYN, ids jump by 2,097,152", Ids.Jumping(1 << 21)),
        .. Opening("SYN, ids fall", Ids.Falling),
        .. Opening("SYN, ids at random", Ids.Shuffled),
        .. Opening("SYN, ids of one bucket", Ids.Colliding),
        Opens("SYN and FIN", WindowUpdate, Syn | Fin, Ids.Rising),
        Opens("Data of 0 bytes with SYN", Data, Syn, Ids.Rising),
        Full("SYN, ids rise", WindowUpdate, Syn, Beyond),
        Full("SYN, ids jump by 8,192", WindowUpdate, Syn, Ids.Jumping(8192).Select(id => id + (2 * Backlog))),
        Full("SYN, ids fall", WindowUpdate, Syn, Beyond.Reverse()),
        Full("SYN and FIN", WindowUpdate, Syn | Fin, Beyond),
        Full("Data of 1 byte with SYN", Data, Syn, Beyond, 1),
        Waiting("RST, the oldest first", WindowUpdate, Rst, Ids.Rising),
        Waiting("RST, the latest first", WindowUpdate, Rst, Ids.Falling),
        Waiting("RST, at random", WindowUpdate, Rst, Ids.Shuffled),
        new("a stream ends", "RST, accepted", async target =>
        {
            await target.AcceptAsync(Ids.Rising);
            return new FrameBatch().Add(WindowUpdate, Rst, Ids.Rising);
        }),
        new("a stream ends", "RST, accepted, while others wait", async target =>
        {
            await target.AcceptAsync(Ids.Rising.Take(Ids.Count / 2));
            target.Open(Ids.Rising.Skip(Ids.Count / 2));
            return new FrameBatch().Add(WindowUpdate, Rst, Ids.Rising.Take(Ids.Count / 2));
        }),
        new("a stream ends", "RST with a payload of 1 byte", async target =>
        {
            await target.AcceptAsync(Ids.Rising);
            return new FrameBatch().Add(Data, Rst, Ids.Rising, 1);
        }),
        Receives("Data of 1 byte", Data, None, Ids.Same(1)),
        Receives("Data of 1 byte, nobody reads any more", Data, None, Ids.Same(1), discards: true),
        ReceivesByTurns("Data of 1 byte", None, Ids.Rising),
        ReceivesByTurns("Data of 1 byte, streams of one bucket", None, Ids.Colliding),
        ReceivesByTurns("Data of 1 byte and FIN", Fin, Ids.Rising),
        Begins("Data of 1 byte", Data, None),
        Begins("Data of 1 byte and FIN", Data, Fin),
        new("a stream gets its first byte", "Data of 1 byte with SYN", _ => Task.FromResult(new FrameBatch().Add(Data, Syn, Ids.Rising, 1))),
        Changes("Data of 0 bytes", Data, None, Ids.Same(1)),
        Changes("Data of 0 bytes with ACK", Data, Ack, Ids.Same(1)),
        Changes("window update of 0", WindowUpdate, None, Ids.Same(1)),
        Changes("window update of 1", WindowUpdate, None, Ids.Same(1), 1),
        Changes("FIN, again and again", WindowUpdate, Fin, Ids.Same(1)),
        ChangesByTurns("window update of 0", None, Ids.Rising),
        ChangesByTurns("window update of 1", None, Ids.Rising, 1),
        ChangesByTurns("window update of 1, streams of one bucket", None, Ids.Colliding, 1),
        ChangesByTurns("FIN", Fin, Ids.Rising),
        Lets("window update of 1", Ids.Rising),
        Lets("window update of 1, streams of one bucket", Ids.Colliding),
        Unknown("Data of 0 bytes, never opened", Data, None, Ids.Rising),
        Unknown("Data of 1 byte, never opened", Data, None, Ids.Rising, 1),
        Unknown("Data of 64 bytes, never opened", Data, None, Ids.Rising, 64),
        Unknown("window update of 0, never opened", WindowUpdate, None, Ids.Rising),
        Unknown("window update of 1, never opened", WindowUpdate, None, Ids.Rising, 1),
        Unknown("FIN, never opened", WindowUpdate, Fin, Ids.Rising),
        Unknown("RST, never opened", WindowUpdate, Rst, Ids.Rising),
        Unknown("RST, ids at random", WindowUpdate, Rst, Ids.Shuffled),
        Ended("Data of 1 byte, aborted", Data, 1),
        Ended("window update of 1, aborted", WindowUpdate, 1),
        UnknownBeside("Data of 1 byte, never opened", Ids.Rising),
        UnknownBeside("Data of 1 byte, never opened, streams of one bucket", Ids.Colliding),
        Session("a ping is looked at", "ping", Ping, Syn, 7),
        Session("a ping is looked at", "pong that nobody waits for", Ping, Ack, 7),
        Session("a ping is looked at", "ping that is request and answer", Ping, Syn | Ack, 7),
        Session("the session is told", "GoAway again", GoAway, None, 0),
    ];

    private static FrameCase Opens(string name, FrameType type, FrameFlags flags, IEnumerable<uint> ids, uint length = 0)
        => new("a stream is opened", name, _ => Task.FromResult(new FrameBatch().Add(type, flags, ids, length)));

    private static FrameCase[] Opening(string name, IEnumerable<uint> ids) =>
    [
        Opens(name, WindowUpdate, Syn, ids),
        new("a stream is opened and reset", name.Replace("SYN,", "SYN and RST,", StringComparison.Ordinal), _ => Task.FromResult(new FrameBatch().Add(WindowUpdate, Syn | Rst, ids))),
    ];

    private static FrameCase Full(string name, FrameType type, FrameFlags flags, IEnumerable<uint> ids, uint length = 0)
        => new("a stream is refused", name, target =>
        {
            target.Open(Ids.Rising);
            return Task.FromResult(new FrameBatch().Add(type, flags, ids, length));
        });

    private static FrameCase Waiting(string name, FrameType type, FrameFlags flags, IEnumerable<uint> ids)
        => new("a stream ends", $"{name}, not accepted", target =>
        {
            target.Open(Ids.Rising);
            return Task.FromResult(new FrameBatch().Add(type, flags, ids));
        });

    private static FrameCase Receives(string name, FrameType type, FrameFlags flags, IEnumerable<uint> ids, bool discards = false)
        => new("a byte is received", name, async target =>
        {
            foreach (var stream in await target.AcceptAsync(ids.Distinct()))
            {
                if (discards)
                {
                    await stream.Input.CompleteAsync();
                }
            }

            return new FrameBatch().Add(type, flags, ids, 1);
        });

    // What a frame needs of a stream is not in the processor's cache, if there are a thousand others.
    private static FrameCase ReceivesByTurns(string name, FrameFlags flags, IEnumerable<uint> ids)
        => new("a byte is received, streams by turns", name, async target =>
        {
            await target.AcceptAsync(ids);
            target.Feed(new FrameBatch().Add(Data, None, ids, 1));
            return new FrameBatch().Add(Data, flags, ids, 1);
        });

    // Which rents an array for it.
    private static FrameCase Begins(string name, FrameType type, FrameFlags flags)
        => new("a stream gets its first byte", name, async target =>
        {
            await target.AcceptAsync(Ids.Rising);
            return new FrameBatch().Add(type, flags, Ids.Rising, 1);
        });

    private static FrameCase Changes(string name, FrameType type, FrameFlags flags, IEnumerable<uint> ids, uint length = 0)
        => new("a stream is looked at", name, async target =>
        {
            await target.AcceptAsync(ids.Distinct());
            return new FrameBatch().Add(type, flags, ids, length);
        });

    private static FrameCase ChangesByTurns(string name, FrameFlags flags, IEnumerable<uint> ids, uint length = 0)
        => new("a stream is looked at, by turns", name, async target =>
        {
            await target.AcceptAsync(ids);
            return new FrameBatch().Add(WindowUpdate, flags, ids, length);
        });

    // Which wakes the writer, who sends a byte. Few: each has sent a window before.
    private static FrameCase Lets(string name, IEnumerable<uint> ids)
        => new("a writer goes on", name, async target =>
        {
            ids = ids.Take(64).ToList();
            foreach (var stream in await target.AcceptAsync(ids))
            {
                await stream.Output.WriteAsync(new byte[FrameHeader.InitialWindow]);
                _ = stream.Output.WriteAsync(new byte[2]).AsTask();
            }

            return new FrameBatch().Add(WindowUpdate, None, ids, 1);
        });

    private static FrameCase Unknown(string name, FrameType type, FrameFlags flags, IEnumerable<uint> ids, uint length = 0)
        => new("dropped", name, _ => Task.FromResult(new FrameBatch().Add(type, flags, ids, length)));

    private static FrameCase Ended(string name, FrameType type, uint length)
        => new("dropped, after 1,024 streams", name, async target =>
        {
            foreach (var stream in await target.AcceptAsync(Ids.Rising))
            {
                stream.Abort();
            }

            return new FrameBatch().Add(type, None, Ids.Rising, length);
        });

    private static FrameCase UnknownBeside(string name, IEnumerable<uint> ids)
        => new("dropped, beside 1,024 streams", name, async target =>
        {
            await target.AcceptAsync(ids);
            var beyond = ids.Max() + 1;
            return new FrameBatch().Add(Data, None, ids.Select(id => id + beyond), 1);
        });

    private static FrameCase Session(string group, string name, FrameType type, FrameFlags flags, uint value)
        => new(group, name, _ => Task.FromResult(new FrameBatch().Add(type, flags, Ids.Same(0), value)));
}
