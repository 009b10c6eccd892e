namespace Yamux.IO;

/// <summary>What the <see cref="FrameWriter"/> tells its session, never with a lock held.</summary>
internal interface IFrameWriterOwner
{
    /// <summary>The transport did not take everything at once; <see cref="OnWriteEnded"/> follows when it has.</summary>
    void OnWriteStarted();

    /// <summary>The transport has taken what <see cref="OnWriteStarted"/> announced.</summary>
    /// <param name="moved">It was so much that the peer must have taken bytes meanwhile.</param>
    void OnWriteEnded(bool moved);

    /// <summary>The transport failed. The writer has stopped.</summary>
    void OnWriteFailed(Exception error);
}
