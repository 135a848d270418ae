// Readers of single values: the right JSON type, a number in its range, text that parses. Each gives the value, or complains
// and gives a placeholder; the path is then marked bad, and no rule looks at the placeholder.

using System.Globalization;
using System.Text.Json;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Daemon.Configuration;

/// <summary>Reads values strictly.</summary>
internal static class ConfigValue
{
    /// <summary>The kind of a value in words.</summary>
    public static string KindName(ConfigNode node) => node.Kind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "true or false",
    };

    /// <summary>A whole number in a range; <paramref name="fallback"/> when it isn't there or is wrong.</summary>
    public static int Integer(this ConfigProblems problems, ConfigNode? node, ConfigRange range, int fallback)
    {
        if (node is null)
            return fallback;
        if (node.Kind == JsonValueKind.Number && TryNumber(node.Text, range, out int value))
            return value;
        string wrong = node.Kind != JsonValueKind.Number ? $"must be a number, not {KindName(node)}; write {range.Min} to {range.Max}"
            : IsWhole(node.Text) ? range.Complaint(Shortened(node.Text))
            : $"{Shortened(node.Text)} is not a whole number; write {range.Min} to {range.Max}, without point or exponent";
        problems.Add(node, wrong);
        return fallback;
    }

    /// <summary>True or false; <paramref name="fallback"/> when it isn't there or is wrong.</summary>
    public static bool Boolean(this ConfigProblems problems, ConfigNode? node, bool fallback)
    {
        if (node is null or { Kind: JsonValueKind.True or JsonValueKind.False })
            return node is null ? fallback : node.Kind == JsonValueKind.True;
        problems.Add(node, $"must be true or false, not {KindName(node)}");
        return fallback;
    }

    /// <summary>A string; null when it isn't there or is wrong.</summary>
    public static string? Text(this ConfigProblems problems, ConfigNode? node, string example)
    {
        if (node is null or { Kind: JsonValueKind.String })
            return node?.Text;
        problems.Add(node, $"must be a string, not {KindName(node)}; write \"{example}\"");
        return null;
    }

    /// <summary>A MAC address; zero when it is wrong, null when it isn't there.</summary>
    public static MacAddress? Mac(this ConfigProblems problems, ConfigNode? node)
    {
        if (node is null)
            return null;
        MacAddress mac = default;
        if (problems.Text(node, "02:00:5e:10:00:01") is { } text && !MacAddress.TryParse(text, out mac))
            problems.Add(node, $"{VtepConfigRules.Quote(text)} is no MAC address; write six hex pairs, like 02:00:5e:10:00:01");
        return mac;
    }

    /// <summary>An address; none when it is wrong, null when it isn't there.</summary>
    public static InetAddress? Address(this ConfigProblems problems, ConfigNode? node, string example)
    {
        if (node is null)
            return null;
        InetAddress address = default;
        if (problems.Text(node, example) is { } text && !InetAddress.TryParse(text, out address))
            problems.Add(node, $"{VtepConfigRules.Quote(text)} is no IPv4 or IPv6 address; write it like {example}");
        return address;
    }

    /// <summary>A VTEP; the default value when it is wrong.</summary>
    public static VtepEndpoint Endpoint(this ConfigProblems problems, ConfigNode node, ushort defaultPort)
    {
        VtepEndpoint endpoint = default;
        if (problems.Text(node, "198.18.0.2") is { } text && !EndpointText.TryParse(text, defaultPort, out endpoint))
            problems.Add(node, EndpointText.Complaint(text));
        return endpoint;
    }

    /// <summary>An address with prefix length; the default value when it is wrong.</summary>
    public static InterfaceAddress InterfaceAddress(this ConfigProblems problems, ConfigNode node)
    {
        InterfaceAddress address = default;
        if (problems.Text(node, "198.19.0.1/24") is { } text && !EndpointText.TryParseInterfaceAddress(text, out address))
            problems.Add(node,
                $"{VtepConfigRules.Quote(text)} is no address with a prefix length; write it like 198.19.0.1/24 or fd00:19::1/64");
        return address;
    }

    /// <summary>A prefix; the default value when it is wrong.</summary>
    public static InetPrefix Prefix(this ConfigProblems problems, ConfigNode node, string example)
    {
        InetPrefix prefix = default;
        if (problems.Text(node, example) is { } text && !InetPrefix.TryParse(text, out prefix))
            problems.Add(node, $"{VtepConfigRules.Quote(text)} is no prefix; write it like {example}, with no bit set behind its length");
        return prefix;
    }

    /// <summary>The absolute path of a file; null when it isn't there or is wrong.</summary>
    public static string? FilePath(this ConfigProblems problems, ConfigNode? node, string example)
    {
        if (problems.Text(node, example) is not { } path)
            return null;
        if (path.StartsWith('/') && !path.EndsWith('/') && !path.Contains('\0'))
            return path;
        problems.Add(node!, $"{VtepConfigRules.Quote(path)} is no absolute path of a file; write it like {example}");
        return null;
    }

    /// <summary>One of a few words; <paramref name="fallback"/> when it isn't there or is wrong.</summary>
    public static T Choice<T>(this ConfigProblems problems, ConfigNode? node, T fallback, params (string Word, T Value)[] choices)
    {
        if (node is null)
            return fallback;
        foreach ((string word, T value) in choices)
        {
            if (node.Kind == JsonValueKind.String && node.Text == word)
                return value;
        }

        string what = node.Kind == JsonValueKind.String ? VtepConfigRules.Quote(node.Text) : KindName(node);
        problems.Add(node, $"{what} is not known here; write {string.Join(" or ", choices.Select(choice => $"\"{choice.Word}\""))}");
        return fallback;
    }

    /// <summary>A number in a range, or the word <c>inherit</c>, which gives null.</summary>
    public static byte? NumberOrInherit(this ConfigProblems problems, ConfigNode? node, ConfigRange range, byte? fallback)
    {
        if (node is { Kind: JsonValueKind.String, Text: ConfigWords.Inherit })
            return null;
        if (node is null or { Kind: JsonValueKind.Number })
            return node is null ? fallback : (byte)problems.Integer(node, range, range.Min);
        string what = node.Kind == JsonValueKind.String ? VtepConfigRules.Quote(node.Text) : KindName(node);
        problems.Add(node, $"{what} is not known here; write {range.Min} to {range.Max} or \"{ConfigWords.Inherit}\"");
        return fallback;
    }

    /// <summary>The elements of a list; none when it isn't there or is wrong.</summary>
    public static IReadOnlyList<ConfigNode> List(this ConfigProblems problems, ConfigNode? node, string example)
    {
        if (node is null or { Kind: JsonValueKind.Array })
            return node?.Children ?? [];
        problems.Add(node, $"must be a list, not {KindName(node)}; write [ {example} ]");
        return [];
    }

    private static bool IsWhole(string number) => number.AsSpan().TrimStart('-').IndexOfAnyExceptInRange('0', '9') < 0;

    private static bool TryNumber(string number, ConfigRange range, out int value) =>
        int.TryParse(number, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value) && range.Contains(value);

    private static string Shortened(string number) => number.Length <= 20 ? number : $"{number.AsSpan(0, 20)}...";
}
