using System.CommandLine;
using System.Net;
using Conformance.Cases;
using Conformance.Reports;
using Conformance.Running;

namespace Conformance.CommandLine;

/// <summary>The command <c>run</c>.</summary>
internal static class RunCommand
{
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan DialPatience = TimeSpan.FromSeconds(30);

    public static Command Create()
    {
        var connect = ParsedOption.Address("--connect", "Tests a target that listens there.");
        var listen = ParsedOption.Address("--listen", "Listens there and tests a target that dials, again whenever its connection has ended. Port 0 takes a free one.");
        var role = ParsedOption.Word<PlayedRole>("--role", "ROLE", "Which end yamuxspec plays, client or server. Default: client with --connect, server with --listen.");
        var profile = ParsedOption.Word<Profile>("--profile", "PROFILE", "What is expected where implementations legitimately differ: strict (default), hashicorp or libp2p.");
        var only = new Option<string[]>("--only") { Description = "Runs these cases alone; a group's name stands for all of its cases.", HelpName = "ID", AllowMultipleArgumentsPerToken = true };
        var timeout = ParsedOption.Seconds("--timeout", $"How long the target may take for each thing that is expected of it, in seconds. Default {DefaultTimeout.TotalSeconds}.", 0.1, 600);
        var format = ParsedOption.Word<ReportFormat>("--format", "FORMAT", "How the results are written: text (default), json or junit.");
        var file = new Option<string?>("--out") { Description = "Writes the results to this file instead of the standard output.", HelpName = "FILE" };

        var command = new Command(
            "run",
            "Tests a peer that accepts streams, echoes each until our FIN, and then sends FIN; it may open none. Exit code 0 when no MUST fails, 1 when one does, 2 when the tests could not be run.")
        {
            connect, listen, role, profile, only, timeout, format, file,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            if ((parsed.GetValue(connect) is null) == (parsed.GetValue(listen) is null))
            {
                throw new UsageException("run: give either --connect HOST:PORT or --listen HOST:PORT. See run --help.");
            }

            var cases = Choose(parsed.GetValue(only) ?? [], parsed.GetValue(profile) ?? Profile.Strict);
            var patience = parsed.GetValue(timeout) ?? DefaultTimeout;
            var shape = parsed.GetValue(format) ?? ReportFormat.Text;
            using var output = new ReportOutput(parsed.GetValue(file), shape);
            using var target = await ReachAsync(parsed.GetValue(connect), parsed.GetValue(listen), patience, cancellationToken);
            var played = parsed.GetValue(role) ?? (target is DialledTarget ? PlayedRole.Client : PlayedRole.Server);
            var reports = output.Create(new RunDescription(
                target is ListenedTarget listened ? $"dials {listened.EndPoint}" : Show(parsed.GetValue(connect)!), played.ToString().ToLowerInvariant(), parsed.GetValue(profile) ?? Profile.Strict));
            return await RunAsync(new SpecRunner(target, played == PlayedRole.Client, patience), cases, reports, cancellationToken);
        });
        return command;
    }

    private static async Task<int> RunAsync(SpecRunner runner, IReadOnlyList<SpecCase> cases, IReadOnlyList<IReport> reports, CancellationToken cancellationToken)
    {
        var failed = false;
        await foreach (var result in runner.RunAsync(cases, cancellationToken))
        {
            failed |= result.IsFatal;
            foreach (var report in reports)
            {
                report.Add(result);
            }
        }

        foreach (var report in reports)
        {
            report.Complete();
        }

        return failed ? 1 : 0;
    }

    private static async Task<ITarget> ReachAsync(DnsEndPoint? connect, DnsEndPoint? listen, TimeSpan timeout, CancellationToken cancellationToken)
    {
        if (connect is not null)
        {
            return connect.Port > 0 ? new DialledTarget(connect, timeout) : throw new UsageException($"--connect {Show(connect)}: the port must be 1 to {IPEndPoint.MaxPort}.");
        }

        var target = await ListenedTarget.ListenAsync(listen!, DialPatience, cancellationToken);
        await Console.Error.WriteLineAsync($"listening on {target.EndPoint}");
        return target;
    }

    private static string Show(DnsEndPoint endPoint) => $"{endPoint.Host}:{endPoint.Port}";

    private static IReadOnlyList<SpecCase> Choose(string[] only, Profile profile)
    {
        var unknown = only.FirstOrDefault(id => !Suite.Cases.Any(spec => spec.Id == id || spec.Group == id));
        if (unknown is not null)
        {
            throw new UsageException($"--only {unknown}: there is no such case. 'yamuxspec list' prints the ids, {Suite.Cases[0].Id} to {Suite.Cases[^1].Id}.");
        }

        return [.. Suite.Cases.Where(spec => only.Length == 0 || only.Contains(spec.Id) || only.Contains(spec.Group)).Select(spec => spec.For(profile))];
    }
}
