namespace Conformance.Wire;

/// <summary>
/// The frames of one connection, decoded, one a line, in the order in which they were sent and received. A frame that
/// repeats is one line with a count; of a long exchange the beginning and the end are kept.
/// </summary>
internal sealed class Transcript
{
    private const int KeptAtStart = 60;
    private const int KeptAtEnd = 60;

    private readonly Lock _gate = new();
    private readonly List<string> _first = [];
    private readonly Queue<string> _last = [];
    private string? _line;
    private int _repeated;
    private int _left;

    public void Sent(Frame frame) => Add($"-> {frame}");

    public void Sent(string what) => Add($"-> {what}");

    public void Received(Frame frame) => Add($"<- {frame}");

    public void Note(string what) => Add($"   {what}");

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_gate)
            {
                var lines = new List<string>(_first);
                if (_left > 0)
                {
                    lines.Add($"   … {_left} lines left out …");
                }

                lines.AddRange(_last);
                if (_line is not null)
                {
                    lines.Add(Complete());
                }

                return lines;
            }
        }
    }

    private void Add(string line)
    {
        lock (_gate)
        {
            if (line == _line)
            {
                _repeated++;
                return;
            }

            if (_line is not null)
            {
                Keep(Complete());
            }

            _line = line;
            _repeated = 1;
        }
    }

    private string Complete() => _repeated == 1 ? _line! : $"{_line}   (× {_repeated})";

    private void Keep(string line)
    {
        if (_first.Count < KeptAtStart)
        {
            _first.Add(line);
            return;
        }

        _last.Enqueue(line);
        if (_last.Count > KeptAtEnd)
        {
            _last.Dequeue();
            _left++;
        }
    }
}
