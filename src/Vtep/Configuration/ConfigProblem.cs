// What is wrong with a configuration file, in the form compilers use, so that editors can jump there. An error prevents a start and
// a reload; a warning is legal, but hardly what was meant.

namespace VtepDataPlane.Daemon.Configuration;

/// <summary>How bad it is.</summary>
internal enum ConfigSeverity
{
    /// <summary>Nobody can run this.</summary>
    Error,

    /// <summary>It runs, but hardly as it was meant.</summary>
    Warning,
}

/// <summary>One thing wrong. Line 0: with the file as a whole. Path null: the text is no JSON.</summary>
internal readonly record struct ConfigProblem(
    string File, int Line, int Column, string? Path, string Message, ConfigSeverity Severity = ConfigSeverity.Error)
{
    /// <summary><c>file:line:column: $.path: what is wrong; what would be right</c>, with <c>warning: </c> before the path of a warning.</summary>
    public override string ToString()
    {
        string place = Line == 0 ? File : $"{File}:{Line}:{Column}";
        string level = Severity == ConfigSeverity.Warning ? "warning: " : "";
        return Line == 0 || Path is null ? $"{place}: {level}{Message}" : $"{place}: {level}{Path}: {Message}";
    }
}

/// <summary>Collects what is wrong with one file.</summary>
internal sealed class ConfigProblems(string file, ConfigText text)
{
    private readonly List<ConfigProblem> _list = [];
    private readonly HashSet<string> _badPaths = [];

    /// <summary>Paths of values that are placeholders now.</summary>
    public IReadOnlySet<string> BadPaths => _badPaths;

    /// <summary>Something is wrong.</summary>
    public bool Any => _list.Count > 0;

    /// <summary>All of them in the file's order.</summary>
    public IReadOnlyList<ConfigProblem> InOrder() => [.. _list.OrderBy(problem => (problem.Line, problem.Column))];

    /// <summary>The value is wrong.</summary>
    public void Add(ConfigNode node, string message) => Add(node.Offset, node.Path, message);

    /// <summary>The key is wrong.</summary>
    public void AddKey(ConfigNode node, string message) => Add(node.KeyOffset, node.Path, message);

    /// <summary>A key is missing in <paramref name="parent"/>.</summary>
    public void AddMissing(ConfigNode parent, string key, string message)
    {
        MarkBad(parent.PathOf(key));
        Add(parent.Offset, parent.Path, message);
    }

    /// <summary>A rule is violated; the element may be one that isn't in the file.</summary>
    public void Add(ConfigNode root, VtepConfigProblem problem) => Add(root.Nearest(problem.Path).Offset, problem.Path, problem.Message);

    /// <summary>Legal, but hardly what was meant. The value stays good: other rules still look at it.</summary>
    public void Warn(ConfigNode root, VtepConfigProblem problem) => _list.Add(At(root, problem, ConfigSeverity.Warning));

    /// <summary>A problem of the element at a path, found by somebody who doesn't read the file.</summary>
    public ConfigProblem At(ConfigNode root, VtepConfigProblem problem, ConfigSeverity severity) =>
        Place(root.Nearest(problem.Path).Offset, problem.Path, problem.Message) with { Severity = severity };

    /// <summary>What stands at this path is a placeholder: nothing more can be said of it.</summary>
    public void MarkBad(string path) => _badPaths.Add(path);

    private void Add(int offset, string path, string message)
    {
        _badPaths.Add(path);
        _list.Add(Place(offset, path, message));
    }

    private ConfigProblem Place(int offset, string path, string message)
    {
        (int line, int column) = text.Position(offset);
        return new ConfigProblem(file, line, column, path, message);
    }
}
