using System.Net;
using Benchmarks.Compare;
using Benchmarks.Grpc;

namespace Benchmarks.Agents;

/// <summary>A server, and a process with its clients. Both wait to be told what to do.</summary>
internal sealed class AgentProcesses : IAsyncDisposable
{
    private readonly AgentKind _kind;
    private readonly ChildProcess _server;
    private readonly ChildProcess _clients;

    private AgentProcesses(AgentKind kind, ChildProcess server, ChildProcess clients)
    {
        _kind = kind;
        _server = server;
        _clients = clients;
    }

    /// <exception cref="MeasurementException">The server has not started.</exception>
    public static async Task<AgentProcesses> StartAsync(AgentKind kind, CancellationToken cancellationToken)
    {
        var server = ChildProcess.Own(AgentsServeCommand.Name, "--kind", kind.ToString());
        try
        {
            var address = IPEndPoint.Parse((await server.ReadAnswerAsync(TimeSpan.Zero, cancellationToken))[GrpcServeCommand.Ready.Length..]);
            return new AgentProcesses(kind, server, ChildProcess.Own(AgentsRunCommand.Name, "--kind", kind.ToString(), "--connect", address.ToString()));
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>The clients do something.</summary>
    /// <exception cref="MeasurementException">It failed.</exception>
    public Task<double> DoAsync(string command, CancellationToken cancellationToken) => TellAsync(_clients, command, TimeSpan.Zero, cancellationToken);

    /// <summary>The server measures something, which takes so long.</summary>
    /// <inheritdoc cref="DoAsync" path="/exception"/>
    public Task<double> MeasureAsync(string command, TimeSpan expected, CancellationToken cancellationToken) => TellAsync(_server, command, expected, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _clients.DisposeAsync();
        await _server.DisposeAsync();
    }

    private async Task<double> TellAsync(ChildProcess process, string command, TimeSpan expected, CancellationToken cancellationToken)
    {
        try
        {
            return Figures.ParseLine(await process.AskAsync(command, expected, cancellationToken)).Value;
        }
        catch (MeasurementException error)
        {
            throw new MeasurementException($"{_kind}, {command}: {error.Message}");
        }
    }
}
