using System.Buffers.Binary;

namespace Yamux.Tests.Fuzzing;

/// <summary>Ways to spoil a sequence of frames.</summary>
internal static class Mutations
{
    private static readonly uint[] Lengths =
        [0, 1, 11, 12, 13, 255, 65_535, 65_536, 262_143, 262_144, 262_145, 1 << 24, int.MaxValue, 1u << 31, uint.MaxValue - 262_144, uint.MaxValue];

    public static void Apply(List<byte[]> frames, Random random)
    {
        var index = random.Next(frames.Count);
        var frame = frames[index] = [.. frames[index]];
        switch (random.Next(12))
        {
            case 0:
                frame[random.Next(frame.Length)] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(8), Lengths[random.Next(Lengths.Length)]);
                break;
            case 2:
                frames.Insert(index, frame); // Twice.
                break;
            case 3 when frames.Count > 1:
                frames.RemoveAt(index);
                break;
            case 4:
                var other = random.Next(frames.Count);
                (frames[index], frames[other]) = (frames[other], frames[index]);
                break;
            case 5:
                frames[index] = frame[..random.Next(12, frame.Length + 1)]; // What follows is taken for payload, or for a header.
                break;
            case 6:
                frames.Insert(index, frames[random.Next(frames.Count)]);
                break;
            case 7:
                BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(2), (ushort)(random.Next(4) == 0 ? random.Next(1 << 16) : random.Next(16)));
                break;
            case 8:
                BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(4), (uint)random.Next(64));
                break;
            case 9:
                frame[1] = (byte)random.Next(5);
                break;
            case 10:
                random.NextBytes(frame);
                break;
            default:
                var cut = random.Next(12);
                frames[index] = [.. frame[..cut], .. frames[random.Next(frames.Count)][cut..]]; // Two halves of a header.
                break;
        }
    }
}
