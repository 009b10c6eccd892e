namespace Backchannel;

/// <summary>Where in its header block a string literal is.</summary>
/// <param name="Start">Its first octet, behind its length.</param>
/// <param name="Length">How many octets it has.</param>
/// <param name="IsHuffman">Whether these are Huffman's codes.</param>
/// <param name="DecodedLength">How many characters it has.</param>
internal readonly record struct HpackString(int Start, int Length, bool IsHuffman, int DecodedLength);
