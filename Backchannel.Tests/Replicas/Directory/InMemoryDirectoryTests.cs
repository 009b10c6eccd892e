namespace Backchannel.Tests.Replicas.Directory;

/// <summary>The directory within the process.</summary>
public class InMemoryDirectoryTests : DirectoryContract
{
    private protected override ValueTask<BackchannelDirectory> CreateAsync() => new(new InMemoryBackchannelDirectory());

    private protected override ValueTask ReleaseAsync() => default;

    private protected override ValueTask LoseEverythingAsync()
    {
        ((InMemoryBackchannelDirectory)Directory).Clear();
        return default;
    }
}
