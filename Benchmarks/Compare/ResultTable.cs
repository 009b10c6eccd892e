using System.Globalization;

namespace Benchmarks.Compare;

/// <summary>The results for people: a line for each workload and peer.</summary>
internal static class ResultTable
{
    public static void Write(TextWriter writer, IReadOnlyList<WorkloadResult> results)
    {
        writer.WriteLine("Medians of all pairs. A ratio is that of the two halves of a pair; its median need not be that of the medians.");
        writer.WriteLine($"{"workload",-19}{"ours",10} {"unit",-6} {"peer",-9}{"theirs",10}  {"ours/theirs (min to max)",-26}goal");
        foreach (var result in results)
        {
            var first = Row(result.Id, Number(result.Ours), result.Unit);
            if (result.Goal is not null || result.Peers.Count == 0)
            {
                writer.WriteLine($"{first} {"",-47}{Verdict(result.Goal, result.IsMet)}".TrimEnd());
                first = Row("", "", "");
            }

            foreach (var peer in result.Peers)
            {
                var ratio = FormattableString.Invariant($"{peer.Ratio.Median:0.00} ({peer.Ratio.Min:0.00} to {peer.Ratio.Max:0.00})");
                writer.WriteLine($"{first} {peer.Name,-9}{Number(peer.Value),10}  {ratio,-26}{Verdict(peer.Goal, peer.IsMet)}".TrimEnd());
                first = Row("", "", "");
            }
        }

        var verdicts = results.SelectMany(result => result.Verdicts).ToList();
        writer.WriteLine($"{verdicts.Count(met => met)} of {verdicts.Count} goals met");
    }

    private static string Row(string id, string value, string unit) => $"{id,-19}{value,10} {unit,-6}";

    private static string Verdict(Goal? goal, bool? met) => goal is null ? "" : $"{goal,-9}{(met == true ? "met" : "MISSED")}";

    private static string Number(double value) => value.ToString(Math.Abs(value) >= 100 ? "#,##0" : "0.##", CultureInfo.InvariantCulture);
}
