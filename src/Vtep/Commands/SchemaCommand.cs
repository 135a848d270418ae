// vtep schema: the JSON schema of the configuration file, for editors that complete and check while one types.

using System.CommandLine;

namespace VtepDataPlane.Daemon.Commands;

/// <summary>The schema command.</summary>
internal static class SchemaCommand
{
    private const string Resource = "vtep.schema.json";

    public static Command Create()
    {
        var command = new Command("schema", "Print the JSON schema of the configuration file, for editors; a file names it with \"$schema\".");
        command.SetAction(parsed => parsed.InvocationConfiguration.Output.Write(Text()));
        return command;
    }

    /// <summary>The schema.</summary>
    internal static string Text()
    {
        using Stream stream = typeof(SchemaCommand).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"{Resource} was not built into this program.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
