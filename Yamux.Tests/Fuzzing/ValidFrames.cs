using Yamux.Tests.Kit;

namespace Yamux.Tests.Fuzzing;

/// <summary>Makes frames as a correct peer sends them: it keeps to the credit of each stream, and to its own ids.</summary>
internal sealed class ValidFrames(Random random, bool toServer)
{
    private const int InitialCredit = 262_144;
    private readonly List<(uint Id, int Credit)> _open = [];
    private uint _nextId = toServer ? 1u : 2u;

    public List<Frame> Make(int count)
    {
        var frames = new List<Frame>(count);
        while (frames.Count < count)
        {
            frames.Add(Next());
        }

        return frames;
    }

    private Frame Next()
    {
        var choice = random.Next(1000);
        if (_open.Count == 0 || choice < 35)
        {
            return _open.Count < 40 ? Open() : Frame.Ping((uint)random.Next());
        }

        var index = random.Next(_open.Count);
        var id = _open[index].Id;
        switch (choice)
        {
            case < 660:
                return Frame.Data(id, Payload(index));
            case < 760:
                return Frame.Credit(id, (uint)random.Next(100_000));
            case < 772:
                var last = random.Next(2) == 0 ? Frame.Fin(id) : Frame.Data(id, Payload(index), FrameFlag.Fin);
                _open.RemoveAt(index);
                return last;
            case < 780:
                _open.RemoveAt(index);
                return Frame.Rst(id);
            case < 830:
                return Frame.Ping((uint)random.Next());
            case < 850:
                return Frame.Pong((uint)random.Next(20));
            case < 995:
                return ToTheirs((uint)((random.Next(30) * 2) + (toServer ? 2 : 1)));
            default:
                return random.Next(20) == 0 ? Frame.GoAway(0) : Frame.Data(id, []);
        }
    }

    private Frame Open()
    {
        var id = _nextId;
        _nextId += 2;
        _open.Add((id, InitialCredit));
        return random.Next(2) == 0
            ? Frame.Syn(id, (uint)(random.Next(4) == 0 ? random.Next(1_000_000) : 0))
            : Frame.Data(id, Payload(_open.Count - 1), FrameFlag.Syn);
    }

    // Frames for a stream that the session may have opened, or not: it must pass over them then.
    private Frame ToTheirs(uint id) => random.Next(8) switch
    {
        0 => Frame.Fin(id),
        1 => Frame.Rst(id),
        2 or 3 => Frame.Ack(id),
        4 => Frame.Credit(id, (uint)random.Next(1000)),
        _ => Frame.Data(id, Bytes(random.Next(50))),
    };

    private byte[] Payload(int index)
    {
        var (id, credit) = _open[index];
        var length = Math.Min(credit, random.Next(200) == 0 ? random.Next(30_000) : random.Next(48));
        _open[index] = (id, credit - length);
        return Bytes(length);
    }

    private byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }
}
