using System.Globalization;
using System.Text;

namespace LogTail;

/// <summary>A folder with a log that was made up, for a demonstration. Gone with the object.</summary>
internal sealed class DemoLog : IDisposable
{
    public const string FileName = "agent.log";

    private const int LinesAtOnce = 10_000;

    private DemoLog(string folder)
    {
        Folder = folder;
    }

    public string Folder { get; }

    /// <summary>Writes lines until there are so many bytes.</summary>
    public static async Task<DemoLog> CreateAsync(long bytes, CancellationToken cancellationToken)
    {
        var log = new DemoLog(Directory.CreateTempSubdirectory("logtail-").FullName);
        try
        {
            await using var file = File.Create(Path.Combine(log.Folder, FileName));
            for (long line = 0, left = bytes; left > 0; line += LinesAtOnce)
            {
                var text = Lines(line);
                var size = (int)Math.Min(left, text.Length);
                await file.WriteAsync(text.AsMemory(0, size), cancellationToken);
                left -= size;
            }

            return log;
        }
        catch
        {
            log.Dispose();
            throw;
        }
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private static byte[] Lines(long first)
    {
        var text = new StringBuilder();
        for (var line = first; line < first + LinesAtOnce; line++)
        {
            text.Append(CultureInfo.InvariantCulture, $"{line:D10} info  request {line * 7919 % 1_000_003:x6} took {line % 97} ms\n");
        }

        return Encoding.ASCII.GetBytes(text.ToString());
    }
}
