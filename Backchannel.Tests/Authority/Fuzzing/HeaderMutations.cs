namespace Backchannel.Tests.Authority.Fuzzing;

/// <summary>Makes header blocks that are valid, and spoils some.</summary>
internal sealed class HeaderMutations(Random random)
{
    private static readonly string[] Names =
        [":authority", "host", "x", "x-some-header", "grpc-timeout", "content-type", ":method", ":path", "te", "Host", ":authorit", "hos"];

    private static readonly string[] Values =
    [
        "multiplexed%2F127.0.0.1:49636", "multiplexed/[::1]:1", "@", "", "localhost:5001", "[::1]:5", "a b", "\u00FC\u00E9", "\0", "\\\\", "application/grpc",
        new string('%', 130), new string('@', 90), "trailers", "1S",
    ];

    /// <summary>The frames of a block, and whether they are as they should be.</summary>
    public byte[] MakeFrames(int stream, bool isSpoilt)
    {
        var block = MakeBlock();
        if (isSpoilt && random.Next(2) == 0)
        {
            block = Spoil(block);
        }

        var frames = random.Next(4) switch
        {
            0 => Http2Frames.Continued(stream, block, MakeCuts(block.Length)),
            1 => Http2Frames.Request(stream, block, random.Next(-1, 5), random.Next(2) == 0),
            _ => Http2Frames.Request(stream, block),
        };
        return isSpoilt && random.Next(3) == 0 ? Spoil(frames) : frames;
    }

    private byte[] MakeBlock()
    {
        var block = new HpackWriter();
        if (random.Next(20) == 0)
        {
            block.TableSize(random.Next(3) * 100);
            block.TableSize(random.Next(4097));
        }

        block.Request();
        for (var i = random.Next(5); i >= 0; i--)
        {
            var isHuffman = random.Next(2) == 0;
            var indexing = (Indexing)random.Next(3);
            var value = Values[random.Next(Values.Length)];
            switch (random.Next(6))
            {
                case 0:
                    block.Field(random.Next(1, 62));
                    break;
                case 1:
                    block.Field(random.Next(62, 70));
                    break;
                case 2:
                    block.Literal(random.Next(1, 68), value, indexing, isHuffman);
                    break;
                case 3:
                    block.Begin(indexing, 0).Text(Names[random.Next(Names.Length)], random.Next(2) == 0).Text(value, isHuffman);
                    break;
                default:
                    block.Literal(random.Next(4) == 0 ? HpackWriter.Host : HpackWriter.Authority, value, indexing, isHuffman);
                    break;
            }
        }

        return block.ToArray();
    }

    private int[] MakeCuts(int length)
    {
        var cuts = new int[random.Next(1, 5)];
        for (var i = 0; i < cuts.Length; i++)
        {
            cuts[i] = random.Next(length + 1);
        }

        Array.Sort(cuts);
        return cuts;
    }

    private byte[] Spoil(byte[] bytes)
    {
        List<byte> spoilt = [.. bytes];
        for (var i = random.Next(1, 4); i > 0 && spoilt.Count > 0; i--)
        {
            var at = random.Next(spoilt.Count);
            switch (random.Next(5))
            {
                case 0:
                    spoilt[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    spoilt[at] = (byte)random.Next(256);
                    break;
                case 2:
                    spoilt.RemoveAt(at);
                    break;
                case 3:
                    spoilt.Insert(at, (byte)(random.Next(2) == 0 ? 0xFF : random.Next(256)));
                    break;
                default:
                    spoilt.RemoveRange(at, Math.Min(spoilt.Count - at, random.Next(1, 20)));
                    break;
            }
        }

        return [.. spoilt];
    }
}
