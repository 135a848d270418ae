// What the shell is told.

namespace VtepDataPlane.Daemon.Commands;

/// <summary>Exit codes of all commands.</summary>
internal static class ExitCode
{
    public const int Ok = 0;

    /// <summary>It failed at run time.</summary>
    public const int Failed = 1;

    /// <summary>The configuration or the command line is wrong.</summary>
    public const int Usage = 2;

    /// <summary>No daemon could be asked.</summary>
    public const int Unreachable = 3;
}
