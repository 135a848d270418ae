// An object of the file, opened strictly: it may hold the keys its binder knows, each once, and nothing else. Complaints about
// keys are made on opening; values are read one by one afterwards (ConfigValue).

using System.Text.Json;

namespace VtepDataPlane.Daemon.Configuration;

/// <summary>An object whose keys have been checked.</summary>
internal sealed class ConfigObject
{
    private readonly ConfigNode _node;
    private readonly ConfigProblems _problems;

    private ConfigObject(ConfigNode node, ConfigProblems problems)
    {
        _node = node;
        _problems = problems;
    }

    /// <summary>There was a key its binder doesn't know, so something else may be missing that was meant to be there.</summary>
    public bool HasUnknownKeys { get; private set; }

    /// <summary>Opens an object; null, with a complaint, when the value is something else.</summary>
    public static ConfigObject? Open(ConfigNode node, ConfigProblems problems, params string[] keys)
    {
        if (node.Kind != JsonValueKind.Object)
        {
            problems.Add(node, $"must be an object, not {ConfigValue.KindName(node)}; write {{ \"{keys[0]}\": ... }}");
            return null;
        }

        var opened = new ConfigObject(node, problems);
        opened.CheckKeys(keys);
        return opened;
    }

    /// <summary>The member by that name; null when it isn't there or is <c>null</c>, which says the same.</summary>
    public ConfigNode? Optional(string key) => _node.Member(key) is { Kind: not JsonValueKind.Null } member ? member : null;

    /// <summary>The member by that name; null, with a complaint, when it isn't there nor, it seems, misspelt.</summary>
    public ConfigNode? Required(string key, string example)
    {
        ConfigNode? member = _node.Member(key);
        if (member is null && !_problems.BadPaths.Contains(_node.PathOf(key)))
            _problems.AddMissing(_node, key, $"the key \"{key}\" is missing; add \"{key}\": {example}");
        return member;
    }

    private void CheckKeys(string[] keys)
    {
        var seen = new HashSet<string>(_node.Children.Count);
        foreach (ConfigNode child in _node.Children)
        {
            string key = child.Key!;
            if (!keys.Contains(key))
                ComplainUnknown(child, keys);
            else if (!seen.Add(key))
                _problems.AddKey(child, $"the key \"{key}\" is there twice; remove one");
        }
    }

    private void ComplainUnknown(ConfigNode child, string[] keys)
    {
        HasUnknownKeys = true;
        string unknown = $"unknown key {VtepConfigRules.Quote(child.Key!)}";
        if (Spelling.Nearest(child.Key!, keys) is { } near)
        {
            // What was meant to be there isn't missing, and nothing can be said of its value.
            _problems.MarkBad(_node.PathOf(near));
            _problems.AddKey(child, $"{unknown}; did you mean \"{near}\"?");
        }
        else
        {
            _problems.AddKey(child, $"{unknown}; the keys here are {string.Join(", ", keys.Select(key => $"\"{key}\""))}");
        }
    }
}
