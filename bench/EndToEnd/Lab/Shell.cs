// Programs of the system (ip, ethtool, iperf3, ...) started with a time bound, their output kept, so that what fails can be told in full. Nothing
// is passed through a shell: arguments are passed one by one.

using System.ComponentModel;
using System.Diagnostics;

namespace VtepDataPlane.EndToEnd.Lab;

/// <summary>Runs programs.</summary>
internal static class Shell
{
    private static readonly TimeSpan s_usualLimit = TimeSpan.FromSeconds(20);

    /// <summary>Runs a program that must succeed; gives what it wrote to standard output.</summary>
    public static string Run(string program, params IEnumerable<string> arguments) => Run(s_usualLimit, program, arguments);

    /// <summary>As above, with a time bound of its own.</summary>
    public static string Run(TimeSpan limit, string program, params IEnumerable<string> arguments)
    {
        (int exitCode, string output, string line) = Try(limit, program, arguments);
        return exitCode == 0 ? output : throw new BenchException($"'{line}' ended with exit code {exitCode}. {output.Trim()}");
    }

    /// <summary>Runs a program whose exit code is the caller's business.</summary>
    public static bool Succeeds(string program, params IEnumerable<string> arguments) => Try(s_usualLimit, program, arguments).ExitCode == 0;

    /// <summary>Starts a program, with what it writes redirected.</summary>
    public static Process Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var info = new ProcessStartInfo(program) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in arguments)
            info.ArgumentList.Add(argument);
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
            info.Environment[name] = value;
        info.Environment["LC_ALL"] = "C";
        try
        {
            Process process = Process.Start(info)!;
            process.StandardInput.Close();
            return process;
        }
        catch (Win32Exception e)
        {
            throw new BenchException($"'{program}' can't be started: {e.Message}. Install its package; bench/run.sh does that as root.", e);
        }
    }

    private static (int ExitCode, string Output, string Line) Try(TimeSpan limit, string program, IEnumerable<string> arguments)
    {
        string[] words = [.. arguments];
        string line = $"{program} {string.Join(' ', words)}";
        using Process process = Start(program, words);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(limit))
        {
            process.Kill(entireProcessTree: true);
            throw new BenchException($"'{line}' took longer than {limit.TotalSeconds:0} s and was killed.");
        }

        string text = output.GetAwaiter().GetResult();
        return (process.ExitCode, process.ExitCode == 0 ? text : text + error.GetAwaiter().GetResult(), line);
    }
}
