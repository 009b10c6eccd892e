using System.Reflection;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Backchannel.Tests.Authority;

/// <summary>The decoder of the Kestrel that runs.</summary>
internal static class KestrelHuffman
{
    private static readonly DecodeMethod Decode = typeof(KestrelServerOptions).Assembly
        .GetType("System.Net.Http.HPack.Huffman", throwOnError: true)!
        .GetMethod("Decode", BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static)!
        .CreateDelegate<DecodeMethod>();

    private delegate int DecodeMethod(ReadOnlySpan<byte> source, ref byte[] destination);

    public static bool TryDecode(ReadOnlySpan<byte> source, out byte[] text)
    {
        text = new byte[(source.Length * 2) + 1];
        try
        {
            var length = Decode(source, ref text);
            text = text[..length];
            return true;
        }
        catch (Exception error) when (error.GetType().Name == "HuffmanDecodingException")
        {
            text = [];
            return false;
        }
    }
}
