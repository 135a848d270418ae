// What the library's documentation says about its snapshots and about drop reasons: the build takes it out of the comments (Descriptions.xslt)
// and embeds it, a line for each with the id of the comment, a tab and the text. Any thread; read anew each time.

namespace VtepDataPlane.Daemon.Control;

/// <summary>Documentation comments, at run time.</summary>
internal static class EmbeddedDescriptions
{
    private const string Resource = "descriptions.tsv";

    /// <summary>The texts by id, such as <c>T:VtepDataPlane.Diagnostics.PeerSnapshot</c>.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Read()
    {
        using Stream stream = typeof(EmbeddedDescriptions).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"The build lacks {Resource}.");
        using var reader = new StreamReader(stream);
        foreach (string line in reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries))
            yield return KeyValuePair.Create(line[..line.IndexOf('\t')], line[(line.IndexOf('\t') + 1)..]);
    }
}
