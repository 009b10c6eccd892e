namespace Backchannel;

/// <summary>The directory of replicas did not answer, or refused; the message says what to do.</summary>
public sealed class DirectoryUnavailableException : IOException
{
    /// <param name="message">What is wrong, and where it can be mended.</param>
    /// <param name="cause">The failure of the client of the directory.</param>
    public DirectoryUnavailableException(string message, Exception? cause = null)
        : base(message, cause)
    {
    }
}
