// A JSON value that remembers where it stood: byte offsets of itself and of its key, and its path from the root. Small on
// purpose: the tree lives for as long as a file is being checked, and a file may have 10,000 domains.

using System.Text.Json;

namespace VtepDataPlane.Daemon.Configuration;

/// <summary>One value of a configuration file.</summary>
internal sealed class ConfigNode(JsonValueKind kind, int offset)
{
    private static readonly List<ConfigNode> s_none = [];

    private List<ConfigNode>? _children;

    public JsonValueKind Kind { get; } = kind;

    /// <summary>First byte of the value in the file.</summary>
    public int Offset { get; } = offset;

    /// <summary>First byte of its key; that of the value for elements of a list and for the root.</summary>
    public int KeyOffset { get; private set; } = offset;

    /// <summary>What stands in a string, or a number as it is written; empty for the other kinds.</summary>
    public string Text { get; init; } = "";

    /// <summary>The key in the enclosing object; null in a list and at the root.</summary>
    public string? Key { get; private set; }

    /// <summary>Members of an object, elements of a list, in the file's order; a key that is there twice is there twice.</summary>
    public IReadOnlyList<ConfigNode> Children => _children ?? s_none;

    private ConfigNode? Parent { get; set; }

    private int Index { get; set; }

    /// <summary><c>$.bridgeDomains[1].ports[0].tap</c>.</summary>
    public string Path => Parent is null ? "$" : Key is null ? $"{Parent.Path}[{Index}]" : Parent.PathOf(Key);

    /// <summary>The path a member of this object has or would have.</summary>
    public string PathOf(string key) => IsPlain(key) ? $"{Path}.{key}" : $"{Path}[{VtepConfigRules.Quote(key)}]";

    /// <summary>The member by that name, the first if there are several; null if there is none.</summary>
    public ConfigNode? Member(string key) => Children.FirstOrDefault(child => child.Key == key);

    public void Add(ConfigNode child, string? key, int keyOffset)
    {
        _children ??= [];
        child.Parent = this;
        child.Key = key;
        child.KeyOffset = keyOffset;
        child.Index = _children.Count;
        _children.Add(child);
    }

    /// <summary>The node at a path, or the nearest one above it that is there.</summary>
    public ConfigNode Nearest(string path)
    {
        ConfigNode node = this;
        foreach (string step in path.Split('.', '[').Skip(1))
        {
            bool isIndex = step.EndsWith(']');
            ConfigNode? next = isIndex ? node.Children.ElementAtOrDefault(int.Parse(step.AsSpan()[..^1])) : node.Member(step);
            if (next is null)
                break;
            node = next;
        }

        return node;
    }

    private static bool IsPlain(string key) => key.Length is > 0 and <= 64 && key.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-');
}
