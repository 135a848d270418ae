// What the configuration file says: the VTEP, and what only the program needs.

using System.Net;

namespace VtepDataPlane.Daemon.Configuration;

/// <summary>A whole configuration file.</summary>
/// <param name="Vtep">The VTEP.</param>
/// <param name="ControlSocket">Absolute path of the control API's unix socket.</param>
internal sealed record DaemonConfig(VtepConfig Vtep, string ControlSocket)
{
    /// <summary>What the controllers of <see cref="VtepConfig.Controllers"/> are read from, in the same order.</summary>
    public IReadOnlyList<ControllerSource> Sources { get; init; } = [];

    /// <summary>Where metrics and health are served over TCP; null: nowhere.</summary>
    public IPEndPoint? Http { get; init; }

    /// <summary>The dashboard is served there too, which is a loopback address then.</summary>
    public bool Dashboard { get; init; }

    /// <summary>The OpenTelemetry collector metrics are sent to; null: none.</summary>
    public Uri? Otlp { get; init; }

    /// <summary>Where the control socket is when nothing else is said.</summary>
    public const string DefaultControlSocket = "/run/vtep/vtep.sock";

    /// <summary>Bytes of a socket's path: sun_path has 108, one of them the final zero (unix(7)).</summary>
    public const int MaxSocketPath = 107;

    /// <summary>Same in every part.</summary>
    public bool Equals(DaemonConfig? other) =>
        other is not null && ControlSocket == other.ControlSocket && Equals(Http, other.Http) && Dashboard == other.Dashboard && Otlp == other.Otlp && Vtep == other.Vtep && Sources.SequenceEqual(other.Sources);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Vtep, ControlSocket);

    /// <summary>Why a path can't be a control socket's, or null when it can.</summary>
    public static string? SocketPathProblem(string path)
    {
        int bytes = System.Text.Encoding.UTF8.GetByteCount(path);
        if (!path.StartsWith('/') || path.EndsWith('/') || path.Contains('\0'))
            return $"{VtepConfigRules.Quote(path)} is no absolute path of a file; write it like {DefaultControlSocket}";
        return bytes > MaxSocketPath ? $"the path has {bytes} bytes; a unix socket's path has at most {MaxSocketPath}" : null;
    }
}

/// <summary>A configuration file that was read: a configuration, perhaps with warnings; or everything that is wrong with it.</summary>
internal sealed record ConfigResult(DaemonConfig? Config, IReadOnlyList<ConfigProblem> Problems)
{
    /// <summary>Gives line and column to what others find about an element; null when the text couldn't be parsed.</summary>
    public Func<VtepConfigProblem, ConfigSeverity, ConfigProblem>? Locate { get; init; }

    /// <summary>Those of <see cref="Problems"/> that nobody can run.</summary>
    public IEnumerable<ConfigProblem> Errors => Problems.Where(problem => problem.Severity == ConfigSeverity.Error);
}
