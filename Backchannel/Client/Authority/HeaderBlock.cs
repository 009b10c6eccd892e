using System.Buffers;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Backchannel;

/// <summary>A header block as it lies in memory: in the payloads of HEADERS and the CONTINUATION frames that follow it, each in any number of pieces.</summary>
internal static class HeaderBlock
{
    /// <summary>Lets <paramref name="filter"/> change the block within <paramref name="frames"/>, which are all of its frames. False if it is no proper one.</summary>
    /// <remarks>
    /// It writes into what a reader calls read-only. It may: a stream's queue holds a copy of what has come, made for this one reader, and Kestrel,
    /// which reads next, has not seen these bytes. A block in one piece is changed where it is, any other is put together first.
    /// </remarks>
    public static bool TryFilter(in ReadOnlySequence<byte> frames, HeaderBlockFilter filter)
    {
        var first = Http2FrameHeader.Read(frames);
        if (first.EndsHeaders)
        {
            if (!first.TryGetFragment(frames.Slice(Http2FrameHeader.Size), out var fragment))
            {
                return false;
            }

            if (fragment.IsSingleSegment)
            {
                return filter.TryFilter(GetWritable(fragment.First), out _);
            }
        }

        var block = ArrayPool<byte>.Shared.Rent((int)frames.Length);
        try
        {
            if (!TryGather(frames, block, out var length) || !filter.TryFilter(block.AsSpan(0, length), out var changed))
            {
                return false;
            }

            if (changed)
            {
                Scatter(block.AsSpan(0, length), frames);
            }

            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(block);
        }
    }

    private static bool TryGather(ReadOnlySequence<byte> frames, Span<byte> block, out int length)
    {
        length = 0;
        while (!frames.IsEmpty)
        {
            if (!TryTakeFragment(ref frames, out var fragment))
            {
                return false;
            }

            fragment.CopyTo(block[length..]);
            length += (int)fragment.Length;
        }

        return true;
    }

    private static void Scatter(ReadOnlySpan<byte> block, ReadOnlySequence<byte> frames)
    {
        while (!frames.IsEmpty && TryTakeFragment(ref frames, out var fragment))
        {
            foreach (var piece in fragment)
            {
                block[..piece.Length].CopyTo(GetWritable(piece));
                block = block[piece.Length..];
            }
        }

        Debug.Assert(block.IsEmpty, "a block went back into other pieces than it came from");
    }

    private static bool TryTakeFragment(ref ReadOnlySequence<byte> frames, out ReadOnlySequence<byte> fragment)
    {
        var header = Http2FrameHeader.Read(frames);
        var payload = frames.Slice(Http2FrameHeader.Size, header.Length);
        frames = frames.Slice(payload.End);
        return header.TryGetFragment(payload, out fragment);
    }

    private static Span<byte> GetWritable(ReadOnlyMemory<byte> memory) => MemoryMarshal.AsMemory(memory).Span;
}
