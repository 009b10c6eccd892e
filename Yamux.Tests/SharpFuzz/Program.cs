using SharpFuzz;
using Yamux.Tests.Fuzzing;

if (args.Length == 0)
{
    // Under afl-fuzz; without it, one input from the standard input.
    Fuzzer.OutOfProcess.Run(static stream =>
    {
        using var file = new MemoryStream();
        stream.CopyTo(file);
        Run(file.ToArray());
    });
    return 0;
}

var failed = 0;
foreach (var path in args)
{
    try
    {
        Console.WriteLine($"{path}: {Run(File.ReadAllBytes(path))} frames");
    }
    catch (FuzzFailureException failure)
    {
        Console.Error.WriteLine($"{path}: {failure}");
        failed++;
    }
}

return failed == 0 ? 0 : 1;

static long Run(byte[] file) => FuzzRun.RunAsync(FuzzCase.Parse(file)).GetAwaiter().GetResult();
