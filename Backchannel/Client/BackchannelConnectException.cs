namespace Backchannel;

/// <summary>No connection came about, for a reason that we know ourselves. The message names it.</summary>
internal sealed class BackchannelConnectException(string message, Exception? innerException = null) : IOException(message, innerException);
