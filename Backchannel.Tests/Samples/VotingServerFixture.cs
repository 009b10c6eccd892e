using Xunit;

namespace Backchannel.Tests.Samples;

/// <summary>A server of the sample's that the tests of a class share.</summary>
public sealed class VotingServerFixture : IAsyncLifetime
{
    private VotingProcess? _server;

    public string Address => _server!.Address;

    public async ValueTask InitializeAsync() => _server = await VotingProcess.StartServerAsync("127.0.0.1:0");

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }
}
