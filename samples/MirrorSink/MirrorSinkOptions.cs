// The options, read strictly: what is missing or wrong is named, with what would be right.

using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using VtepDataPlane.Underlay;

namespace VtepDataPlane.Samples;

/// <summary>Where to listen, what to keep.</summary>
public sealed record MirrorSinkOptions
{
    /// <summary>The file, or - for standard output.</summary>
    public string File { get; private set; } = "";

    /// <summary>UDP port; 0: any that is free.</summary>
    public int Port { get; private set; } = UnderlayConfig.DefaultPort;

    /// <summary>Bytes kept of a frame.</summary>
    public int SnapLength { get; private set; } = ushort.MaxValue;

    /// <summary>Frames after which it ends.</summary>
    public long Count { get; private set; } = long.MaxValue;

    /// <summary>Reads the arguments, or says what is wrong with them.</summary>
    public static bool TryParse(string[] args, [NotNullWhen(true)] out MirrorSinkOptions? options, [NotNullWhen(false)] out string? why)
    {
        ArgumentNullException.ThrowIfNull(args);
        options = new MirrorSinkOptions();
        why = args.Length % 2 == 0 ? null : $"{args[^1]} needs a value.";
        for (int i = 0; i + 1 < args.Length && why is null; i += 2)
            why = options.Take(args[i], args[i + 1]) ? null : $"{args[i]} {args[i + 1]} isn't understood: see the head of samples/MirrorSink/Program.cs.";
        if (why is null && options.File.Length == 0)
            why = "-w is missing: the file to write, or - for standard output.";
        return why is null;
    }

    private bool Take(string name, string value)
    {
        bool isNumber = long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long number);
        switch (name)
        {
            case "-w" when value.Length > 0:
                File = value;
                return true;
            case "--port" when isNumber && number <= ushort.MaxValue:
                Port = (int)number;
                return true;
            case "--snaplen" when isNumber && number is > 0 and <= ushort.MaxValue:
                SnapLength = (int)number;
                return true;
            case "--count" when isNumber && number > 0:
                Count = number;
                return true;
            default:
                return false;
        }
    }
}
