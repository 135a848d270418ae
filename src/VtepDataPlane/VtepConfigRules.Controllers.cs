// The rules of controllers: their names, this node's id in them, and what a domain asks of one.

using VtepDataPlane.Discovery;

namespace VtepDataPlane;

public sealed partial class VtepConfigRules
{
    /// <summary>Controllers a VTEP may have.</summary>
    internal const int MaxControllers = 16;

    /// <summary>Characters of a controller's name and of a node id.</summary>
    internal const int MaxIdLength = 64;

    private readonly HashSet<string> _controllers = [];

    /// <summary><see cref="ControllerDiscovery.LookupsPerSecond"/>.</summary>
    internal static ConfigRange LookupsPerSecond => new(1, 100_000);

    /// <summary><see cref="ControllerDiscovery.LookupTimeout"/>, milliseconds.</summary>
    internal static ConfigRange LookupTimeout => new(10, 5_000);

    /// <summary><see cref="ControllerDiscovery.PositiveSeconds"/>: up to a day.</summary>
    internal static ConfigRange PositiveSeconds => new(1, 86_400);

    /// <summary><see cref="ControllerDiscovery.NegativeSeconds"/>: up to an hour.</summary>
    internal static ConfigRange NegativeSeconds => new(1, 3_600);

    /// <summary>Why <paramref name="node"/> can't be a node's id in a controller, or null when it can.</summary>
    internal static string? NodeProblem(string node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return IsId(node, ".-_") ? null
            : $"{Quote(node)} is no node id; use 1 to {MaxIdLength} letters, digits, dots, hyphens and underscores, like h1";
    }

    /// <summary>Why <paramref name="name"/> can't be a controller's name, or null when it can.</summary>
    internal static string? ControllerNameProblem(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return IsId(name, "-_") ? null
            : $"{Quote(name)} is no name of a controller; use 1 to {MaxIdLength} letters, digits, hyphens and underscores, like main";
    }

    private static bool IsId(string text, string others) =>
        text.Length is > 0 and <= MaxIdLength && text.All(c => char.IsAsciiLetterOrDigit(c) || others.Contains(c));

    private void CheckControllers()
    {
        if (_config.Controllers.Count > MaxControllers)
            Add("$.controllers", $"there are {_config.Controllers.Count} controllers; a VTEP has at most {MaxControllers}");
        foreach (ControllerConfig controller in _config.Controllers)
        {
            string path = $"$.controllers.{controller.Name}";
            if (ControllerNameProblem(controller.Name) is { } wrong)
                Add("$.controllers", wrong);
            else if (!_controllers.Add(controller.Name))
                Add(path, $"the controller {Quote(controller.Name)} is there twice; remove one");
            else if (NodeProblem(controller.Node) is { } why && !IsBad(path + ".node"))
                Add(path, why);
        }
    }

    private void CheckControllerDiscovery(ControllerDiscovery discovery, string path)
    {
        CheckControllerExists(discovery.Controller, path + ".name");
        CheckDefined(discovery.Mode, path + ".mode");
        CheckRange(discovery.LookupsPerSecond, LookupsPerSecond, path + ".lookupsPerSecond");
        CheckRange(discovery.LookupTimeout, LookupTimeout, path + ".lookupTimeout");
        CheckRange(discovery.PositiveSeconds, PositiveSeconds, path + ".positiveSeconds");
        CheckRange(discovery.NegativeSeconds, NegativeSeconds, path + ".negativeSeconds");
    }

    private void CheckControllerExists(string name, string path)
    {
        if (_controllers.Contains(name) || IsBad("$.controllers"))
            return;
        string remedy = _controllers.Count == 0 ? "describe it in \"controllers\""
            : $"the controllers are {string.Join(", ", _controllers)}";
        Add(path, $"there is no controller {Quote(name)}; {remedy}");
    }
}
