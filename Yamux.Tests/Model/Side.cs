namespace Yamux.Tests.Model;

/// <summary>Which of the two sessions.</summary>
internal enum Side
{
    Client,
    Server,
}
