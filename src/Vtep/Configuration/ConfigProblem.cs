// What is wrong with a configuration file, in the form compilers use, so that editors can jump there.

namespace VtepDataPlane.Daemon.Configuration;

/// <summary>One thing wrong. Line 0: with the file as a whole. Path null: the text is no JSON.</summary>
internal readonly record struct ConfigProblem(string File, int Line, int Column, string? Path, string Message)
{
    /// <summary><c>file:line:column: $.path: what is wrong; what would be right</c>.</summary>
    public override string ToString() =>
        Line == 0 ? $"{File}: {Message}"
        : Path is null ? $"{File}:{Line}:{Column}: {Message}"
        : $"{File}:{Line}:{Column}: {Path}: {Message}";
}

/// <summary>Collects what is wrong with one file.</summary>
internal sealed class ConfigProblems(string file, ConfigText text)
{
    private readonly List<ConfigProblem> _list = [];
    private readonly HashSet<string> _badPaths = [];

    /// <summary>Paths of values that are placeholders now.</summary>
    public IReadOnlySet<string> BadPaths => _badPaths;

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

    /// <summary>What stands at this path is a placeholder: nothing more can be said of it.</summary>
    public void MarkBad(string path) => _badPaths.Add(path);

    private void Add(int offset, string path, string message)
    {
        (int line, int column) = text.Position(offset);
        _badPaths.Add(path);
        _list.Add(new ConfigProblem(file, line, column, path, message));
    }
}
