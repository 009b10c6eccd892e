using Backchannel.Tests.Kit;
using Xunit;

namespace Backchannel.Tests.Samples;

/// <summary>The sample as a process: <c>dotnet Voting.dll …</c>.</summary>
internal sealed class VotingProcess : IAsyncDisposable
{
    private readonly ProgramProcess _process;

    private VotingProcess(string[] arguments)
    {
        _process = new ProgramProcess("Voting", arguments);
    }

    public int Id => _process.Id;

    /// <summary>Where a server listens.</summary>
    public string Address { get; private set; } = "";

    /// <summary>Runs the sample to its end.</summary>
    public static async Task<VotingResult> RunAsync(params string[] arguments)
    {
        await using var process = new VotingProcess(arguments);
        return await process.EndAsync();
    }

    /// <summary>Starts a server, and waits until it is ready.</summary>
    public static async Task<VotingProcess> StartServerAsync(string listen, params string[] arguments)
    {
        const string Ready = "listening on ";
        var server = new VotingProcess(["server", "--listen", listen, .. arguments]);
        var line = await server._process.ReadLineAsync();
        if (line is null)
        {
            Assert.Fail(await server._process.ErrorsAsync());
        }

        Assert.StartsWith(Ready, line, StringComparison.Ordinal);
        server.Address = line[Ready.Length..];
        return server;
    }

    /// <summary>Waits for the process to end.</summary>
    public async Task<VotingResult> EndAsync()
    {
        var (exitCode, output, error) = await _process.EndAsync();
        return new VotingResult(exitCode, output, error);
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
