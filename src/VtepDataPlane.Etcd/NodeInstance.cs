// Tells this node from another one that was given its id by mistake: a random number, made once and kept beside the cache. Without the file a
// node is known by its address again (NodeClaim).

namespace VtepDataPlane.Etcd;

/// <summary>This node's instance.</summary>
internal static class NodeInstance
{
    /// <summary>Reads it, or makes it and keeps it.</summary>
    /// <param name="cacheFile">The cache it stands beside, as <c>.instance</c>; null: it lasts as long as the process.</param>
    /// <param name="problem">Null, or a sentence why it isn't kept.</param>
    public static Guid LoadOrMake(string? cacheFile, out string? problem)
    {
        problem = null;
        if (cacheFile is null)
            return Guid.NewGuid();
        string path = cacheFile + ".instance";
        if (TryRead(path, out Guid kept))
            return kept;
        var made = Guid.NewGuid();
        try
        {
            AtomicFile.Write(path, file => file.Write(System.Text.Encoding.ASCII.GetBytes($"{made:D}\n")));
        }
        catch (Exception e) when (AtomicFile.IsFileTrouble(e))
        {
            problem = $"This node's instance can't be kept in {VtepConfigRules.Quote(path)}: {VtepConfigRules.Escape(e.Message)} Check the directory and its owner.";
        }

        return made;
    }

    private static bool TryRead(string path, out Guid instance)
    {
        instance = default;
        try
        {
            var file = new FileInfo(path);
            return file.Exists && file.Length < 100 && Guid.TryParseExact(File.ReadAllText(path).Trim(), "D", out instance) && instance != Guid.Empty;
        }
        catch (Exception e) when (AtomicFile.IsFileTrouble(e))
        {
            return false; // made anew; that it can't be written either is told there
        }
    }
}
