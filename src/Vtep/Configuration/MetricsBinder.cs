// Where metrics go: "control": { "http": "127.0.0.1:9478", "otlp": "http://127.0.0.1:4317" }, each null or absent when it isn't wanted; and whether
// the dashboard is there as well. It shows who is where, to everybody who can connect: so it is asked for, and is for this machine alone.

using System.Net;
using VtepDataPlane.Frames;

namespace VtepDataPlane.Daemon.Configuration;

/// <summary>Readers of the two addresses and of what is served at the first.</summary>
internal static class MetricsBinder
{
    private const string HttpExample = "127.0.0.1:9478";
    private const string OtlpExample = "http://127.0.0.1:4317";

    /// <summary>An address and port to listen on; null when it isn't there or is wrong.</summary>
    public static IPEndPoint? HttpAddress(this ConfigProblems problems, ConfigNode? node)
    {
        if (problems.Text(node, HttpExample) is not { } text)
            return null;
        if (EndpointText.TryParse(text, Metrics.HttpAddress.DefaultPort, out VtepEndpoint parsed) && !parsed.Address.IsMulticast)
            return new IPEndPoint(IPAddress.Parse(parsed.Address.ToString()), parsed.Port);
        problems.Add(node!, $"{VtepConfigRules.Quote(text)} is no address and port to listen on; write it like {HttpExample} or [::1]:9478, or null");
        return null;
    }

    /// <summary>Whether the dashboard is served at <paramref name="http"/>, which must be a loopback address then.</summary>
    /// <param name="problems">Takes what is wrong.</param>
    /// <param name="node">The dashboard's key.</param>
    /// <param name="address">The address's key.</param>
    /// <param name="http">The address; null: there is none, or it is wrong, which was said.</param>
    public static bool Dashboard(this ConfigProblems problems, ConfigNode? node, ConfigNode? address, IPEndPoint? http)
    {
        if (!problems.Boolean(node, fallback: false))
            return false;
        if (address is null)
            problems.Add(node!, $"the dashboard has no address to be served at; write \"http\": \"{HttpExample}\" beside it, or leave it out");
        else if (http is not null && !IPAddress.IsLoopback(http.Address))
            problems.Add(node!, $"the dashboard shows who is where to everybody who can connect, so it is for this machine only, and {http.Address} is no loopback "
                + $"address; write \"http\": \"{HttpExample}\" (from elsewhere, 'ssh -L 9478:{HttpExample}' leads there), or leave it out");
        return true;
    }

    /// <summary>A collector's endpoint; null when it isn't there or is wrong.</summary>
    public static Uri? Collector(this ConfigProblems problems, ConfigNode? node)
    {
        if (problems.Text(node, OtlpExample) is not { } text)
            return null;
        if (Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https" && uri.Host.Length > 0 && uri.UserInfo.Length == 0
            && uri.Query.Length == 0 && uri.Fragment.Length == 0)
            return uri;
        problems.Add(node!, $"{VtepConfigRules.Quote(text)} is no collector; write http:// or https://, a host and a port, like {OtlpExample}, "
            + "with a path for OTLP over HTTP, like http://127.0.0.1:4318/v1/metrics, or null");
        return null;
    }
}
