namespace Yamux;

/// <summary>Which end of a session this is. The two ends must differ; all that depends on it is who owns which stream ids.</summary>
public enum YamuxRole
{
    /// <summary>The end that dialled. Its streams have odd ids, from 1.</summary>
    Client,

    /// <summary>The end that was dialled. Its streams have even ids, from 2.</summary>
    Server,
}
