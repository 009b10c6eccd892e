using System.CommandLine;
using Benchmarks.Wire;

namespace Benchmarks.CommandLine;

/// <summary>What both ends of a measurement are told.</summary>
internal sealed class WireOptions
{
    private const int SmallestWindow = 256 * 1024;
    private const int LargestWindow = 1 << 30;

    private readonly Option<string> _implementation = ChoiceOption.CreateOne(
        "--impl", "Whose streams.", [.. Implementations.All.Select(implementation => implementation.Name)]);

    private readonly Option<int> _maxWindow = NumberOption.Whole(
        "--max-window", "To how many bytes a window may grow, where windows grow. Default: that of the implementation;", SmallestWindow, LargestWindow);

    private readonly Option<int> _window = NumberOption.Whole(
        "--window", "The receive window of each stream, in bytes. Default: that of the implementation;", SmallestWindow, LargestWindow);

    private readonly Option<bool> _tls = new("--tls") { Description = "Encrypt the connections. Any certificate is accepted." };

    public IImplementation Implementation(ParseResult parsed) => Implementations.Find(parsed.GetRequiredValue(_implementation));

    public WireSettings Settings(ParseResult parsed) => new(Size(parsed, _window), Size(parsed, _maxWindow), parsed.GetValue(_tls));

    public void AddTo(Command command)
    {
        command.Add(_implementation);
        command.Add(_window);
        command.Add(_maxWindow);
        command.Add(_tls);
        command.Validators.Add(result =>
        {
            if (result.GetValue(_maxWindow) is > 0 and var most && result.GetValue(_window) is var window && window > most)
            {
                result.AddError($"--max-window {most}: must be at least --window, {window}.");
            }
        });
    }

    private static int? Size(ParseResult parsed, Option<int> option) => parsed.GetValue(option) is > 0 and var size ? size : null;
}
