using SharpFuzz;
using Yamux.Tests.Fuzzing;

if (args.Length == 0)
{
    // Under afl-fuzz; without it, one input from the standard input. What afl-fuzz starts has no output, and a failure that
    // hangs on the threads' timing may not come again when its input is replayed, so it is written down.
    AppDomain.CurrentDomain.UnhandledException += static (_, failure) => WriteDown(failure.ExceptionObject);
    Fuzzer.OutOfProcess.Run(static stream =>
    {
        using var file = new MemoryStream();
        stream.CopyTo(file);
        try
        {
            Run(file.ToArray());
        }
        catch (Exception failure)
        {
            WriteDown(failure);
            throw;
        }
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

// A file a process, for there may be one afl-fuzz a core.
static void WriteDown(object failure)
    => File.AppendAllText(Path.Combine(AppContext.BaseDirectory, $"failures-{Environment.ProcessId}.txt"), $"{failure}\n\n");
