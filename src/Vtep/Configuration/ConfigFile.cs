// Reading a configuration file: bytes, then a tree, then values, then rules; problems of all stages that could be reached come
// back together, in the file's order. Used by vtep check, at start and at reload; any thread, nothing kept.

namespace VtepDataPlane.Daemon.Configuration;

/// <summary>Reads configuration files.</summary>
internal static class ConfigFile
{
    /// <summary>Bytes a file may have. 10,000 domains take about 3 MiB.</summary>
    public const int MaxSize = 64 << 20;

    /// <summary>Reads and checks a file; never throws for what is in it or that it can't be read.</summary>
    public static ConfigResult Load(string path)
    {
        try
        {
            using FileStream file = Open(path);
            return ReadAll(file) is { } bytes ? Parse(path, bytes)
                : Failure(path, $"the file has more than {MaxSize >> 20} MiB; a configuration has less");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return Failure(path, Describe(path, error));
        }
    }

    /// <summary>Checks a configuration's text.</summary>
    public static ConfigResult Parse(string path, ReadOnlyMemory<byte> bytes)
    {
        var text = new ConfigText(bytes);
        if (text.Parse(out ConfigSyntaxError error) is not { } root)
            return new ConfigResult(null, [new ConfigProblem(VtepConfigRules.Escape(path), error.Line, error.Column, null, error.Message)]);

        var problems = new ConfigProblems(VtepConfigRules.Escape(path), text);
        DaemonConfig? config = new ConfigBinder(problems).Bind(root);
        if (config is not null)
        {
            foreach (VtepConfigProblem problem in VtepConfigRules.Check(config.Vtep, problems.BadPaths))
                problems.Add(root, problem);
        }

        // Placeholders have no warnings: they are looked for in what is right.
        bool isGood = config is not null && !problems.Any;
        if (isGood)
        {
            foreach (VtepConfigProblem problem in ConfigWarnings.Of(config!))
                problems.Warn(root, problem);
        }

        return new ConfigResult(isGood ? config : null, problems.InOrder()) { Locate = (problem, severity) => problems.At(root, problem, severity) };
    }

    /// <summary>Opens a file to be read whole.</summary>
    public static FileStream Open(string path) => new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);

    /// <summary>All bytes of an open file; null: they are more than <see cref="MaxSize"/>. A pipe has no length, and a device may have no end.</summary>
    public static byte[]? ReadAll(FileStream file)
    {
        using var bytes = new MemoryStream();
        byte[] chunk = new byte[64 << 10];
        for (int n = file.Read(chunk); n > 0; n = file.Read(chunk))
        {
            if (bytes.Length + n > MaxSize)
                return null;
            bytes.Write(chunk, 0, n);
        }

        return bytes.ToArray();
    }

    private static string Describe(string path, Exception error)
    {
        if (Directory.Exists(path))
            return "this is a directory; give the path of the configuration file in it";
        return error switch
        {
            FileNotFoundException or DirectoryNotFoundException => "there is no such file; give the path of the configuration file",
            UnauthorizedAccessException => "permission denied; make the file readable for this user",
            _ => $"it can't be read: {error.Message}",
        };
    }

    private static ConfigResult Failure(string path, string message) =>
        new(null, [new ConfigProblem(VtepConfigRules.Escape(path), 0, 0, null, message)]);
}
