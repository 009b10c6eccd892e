using Benchmarks.Wire.Nerdbank;
using Benchmarks.Wire.Own;
using Benchmarks.Wire.Raw;
using Benchmarks.Wire.Sidechannels;

namespace Benchmarks.Wire;

/// <summary>The implementations that this program contains.</summary>
internal static class Implementations
{
    public static IReadOnlyList<IImplementation> All { get; } =
    [
        OwnImplementation.Pipes, new RawImplementation(), new NerdbankImplementation(), new SidechannelImplementation(), OwnImplementation.Views,
    ];

    public static IImplementation Find(string name) => All.Single(implementation => implementation.Name == name);
}
