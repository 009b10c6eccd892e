using System.Text.Json;

namespace Benchmarks.Plots;

/// <summary>How results are read and written: what is missing is an error.</summary>
internal static class ResultFormat
{
    public static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        WriteIndented = true,
    };
}
