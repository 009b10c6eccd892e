namespace Yamux.Tests.Fuzzing;

/// <summary>The engine did what it must not do, whatever it receives.</summary>
public sealed class FuzzFailureException(string message, Exception? inner = null) : Exception(message, inner)
{
    internal static void Unless(bool condition, string message)
    {
        if (!condition)
        {
            throw new FuzzFailureException(message);
        }
    }
}
