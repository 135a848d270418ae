// Programs of the system (ip, bridge, tshark, ...) started with a time bound, their output kept, so that a test which fails
// says which command failed and what it wrote. Nothing is passed through a shell: arguments are passed one by one.

using System.Diagnostics;
using NUnit.Framework;

namespace VtepDataPlane.SystemTests.Namespaces;

/// <summary>What a finished command did.</summary>
internal sealed record CommandResult(string CommandLine, int ExitCode, string Output, string Error)
{
    /// <summary>Itself, or a failed test when the exit code isn't 0.</summary>
    public CommandResult OrFail()
    {
        if (ExitCode != 0)
            throw new AssertionException($"'{CommandLine}' ended with exit code {ExitCode}.\n{Error}{Output}");
        return this;
    }
}

/// <summary>Runs programs to their end.</summary>
internal static class Command
{
    /// <summary>How long a command may take when its caller says nothing.</summary>
    public static readonly TimeSpan UsualLimit = TimeSpan.FromSeconds(15);

    // Build servers of the SDK would outlive their command by ten minutes, and hold its output all that time.
    private static readonly (string Name, string Value)[] s_environment =
    [
        ("LC_ALL", "C"), // the output of ping and tcpdump is read below
        ("MSBUILDDISABLENODEREUSE", "1"), ("DOTNET_CLI_USE_MSBUILD_SERVER", "0"), ("UseSharedCompilation", "false"),
    ];

    /// <summary>
    /// Runs a program to its end, and that of its output; a test failure when it can't be started or takes longer than <paramref name="limit"/>.
    /// </summary>
    public static CommandResult Run(TimeSpan limit, string program, params IEnumerable<string> arguments)
    {
        using Process process = Start(program, arguments, out string line);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        process.StandardInput.Close();
        if (!process.WaitForExit(limit))
        {
            process.Kill();
            throw new AssertionException($"'{line}' took longer than {limit.TotalSeconds:0} s and was killed.");
        }

        if (!Task.WaitAll([output, error], limit))
            throw new AssertionException($"'{line}' has ended, but for {limit.TotalSeconds:0} s something it left running has held its output open.");
        return new CommandResult(line, process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }

    /// <summary>Runs a program within the usual limit.</summary>
    public static CommandResult Run(string program, params IEnumerable<string> arguments) => Run(UsualLimit, program, arguments);

    /// <summary>Starts a program with all three streams redirected.</summary>
    public static Process Start(
        string program, IEnumerable<string> arguments, out string commandLine, IReadOnlyDictionary<string, string>? environment = null)
    {
        var info = new ProcessStartInfo(program);
        info.RedirectStandardInput = info.RedirectStandardOutput = info.RedirectStandardError = true;
        foreach (string argument in arguments)
            info.ArgumentList.Add(argument);
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
            info.Environment[name] = value;
        foreach ((string name, string value) in s_environment)
            info.Environment[name] = value;
        commandLine = $"{program} {string.Join(' ', info.ArgumentList)}";
        try
        {
            return Process.Start(info)!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new AssertionException($"'{commandLine}' can't be started: {e.Message}. {Requirements.Remedy(program)}", e);
        }
    }
}
