// Reload: reads the file again and applies the difference. Whatever is wrong, the running configuration stays as it is and
// every error is given back. What is fixed for the life of the process (the sockets, the lanes, the size of the FDB) can't be
// changed this way, and saying so beats a change that takes effect half.
//
// Any thread; one reload at a time.

using VtepDataPlane.Daemon.Configuration;
using VtepDataPlane.Underlay;

namespace VtepDataPlane.Daemon.Hosting;

/// <summary>Reloads the configuration file.</summary>
internal sealed class Reloader(string path, DaemonConfig config, DataPlane dataPlane) : IDisposable
{
    private readonly SemaphoreSlim _one = new(1);
    private DaemonConfig _config = config;

    /// <summary>The configuration in force.</summary>
    public DaemonConfig Config => Volatile.Read(ref _config);

    /// <summary>Reads and applies the file. Every error; none: it is in force now.</summary>
    public async Task<IReadOnlyList<string>> ReloadAsync()
    {
        await _one.WaitAsync();
        try
        {
            ConfigResult result = ConfigFile.Load(path);
            return result.Config is null ? [.. result.Problems.Select(problem => problem.ToString())] : await ApplyAsync(result.Config);
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    private async Task<IReadOnlyList<string>> ApplyAsync(DaemonConfig next)
    {
        string file = VtepConfigRules.Escape(path);
        string[] pinned = [.. Pinned(_config, next).Concat(PinnedControllers(_config.Sources, next.Sources)).Select(change => $"{file}: {change}; restart vtep for that, or undo it")];
        if (pinned.Length > 0)
            return pinned;
        try
        {
            await dataPlane.ApplyAsync(next.Vtep);
        }
        catch (VtepException refused)
        {
            return [refused.Message];
        }
        catch (ObjectDisposedException)
        {
            return ["vtep is stopping."];
        }

        Volatile.Write(ref _config, next);
        return [];
    }

    private static IEnumerable<string> Pinned(DaemonConfig now, DaemonConfig next)
    {
        UnderlayConfig a = now.Vtep.Underlay;
        UnderlayConfig b = next.Vtep.Underlay;
        (string Path, object? Now, object? Next)[] settings =
        [
            ("$.workers", now.Vtep.Workers, next.Vtep.Workers),
            ("$.control.socket", now.ControlSocket, next.ControlSocket),
            ("$.control.http", now.Http, next.Http),
            ("$.control.otlp", now.Otlp, next.Otlp),
            ("$.fdb.capacity", now.Vtep.FdbCapacity, next.Vtep.FdbCapacity),
            ("$.underlay.local", a.Local, b.Local),
            ("$.underlay.interface", a.Interface, b.Interface),
            ("$.underlay.port", a.Port, b.Port),
            ("$.underlay.udpChecksum", a.UdpChecksum, b.UdpChecksum),
            ("$.underlay.acceptZeroChecksumIPv6", a.AcceptZeroChecksumIPv6, b.AcceptZeroChecksumIPv6),
            ("$.underlay.learnedPeerLimit", a.LearnedPeerLimit, b.LearnedPeerLimit),
            ("$.underlay.learnedPeerAgeing", a.LearnedPeerAgeing, b.LearnedPeerAgeing),
        ];
        return settings.Where(setting => !Equals(setting.Now, setting.Next))
            .Select(setting => $"{setting.Path}: changed from {Shown(setting.Now)} to {Shown(setting.Next)}");
    }

    // What a controller is read from holds for the life of the process; domains that name it may come and go.
    private static IEnumerable<string> PinnedControllers(IReadOnlyList<ControllerSource> now, IReadOnlyList<ControllerSource> next)
    {
        foreach (string name in now.Concat(next).Select(source => source.Config.Name).Distinct())
        {
            ControllerSource? before = now.FirstOrDefault(source => source.Config.Name == name);
            ControllerSource? after = next.FirstOrDefault(source => source.Config.Name == name);
            if (before is null || after is null)
                yield return $"$.controllers.{name}: {(before is null ? "added" : "removed")}";
            else if (!before.Equals(after))
                yield return $"$.controllers.{name}: changed";
        }
    }

    private static string Shown(object? value) => value switch
    {
        null => "nothing",
        bool yes => yes ? "true" : "false",
        _ => VtepConfigRules.Escape(value.ToString() ?? ""),
    };
}
