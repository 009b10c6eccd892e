namespace LogTail;

/// <summary>What the other end says, without what a terminal would obey.</summary>
internal static class PrintableText
{
    public static string Of(string text) => string.Concat(text.Where(letter => !char.IsControl(letter)));
}
