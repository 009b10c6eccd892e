namespace Yamux.Tests.Model;

/// <summary>
/// What each side sends on each stream: a fixed text without end, another one for each, which costs nothing to make or to
/// compare. A byte that is lost, doubled, swapped or on the wrong stream shows.
/// </summary>
internal static class Content
{
    /// <summary>The most bytes that can be asked for at once.</summary>
    public const int MaxCount = 400_000;

    private const int Period = 65_521;
    private static readonly byte[] Text = NewText();

    public static ReadOnlyMemory<byte> Of(uint stream, Side sender, long offset, int count)
        => Text.AsMemory((int)(((stream * 7_919L) + ((int)sender * 31_337L) + offset) % Period), count);

    private static byte[] NewText()
    {
        var text = new byte[Period + MaxCount];
        new Random(1).NextBytes(text.AsSpan(0, Period));
        for (var i = Period; i < text.Length; i++)
        {
            text[i] = text[i - Period];
        }

        return text;
    }
}
