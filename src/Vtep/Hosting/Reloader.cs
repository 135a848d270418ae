// Reload: reads the file again and applies the difference. Whatever is wrong, the running configuration stays as it is and
// every error is given back. What is fixed for the life of the process (ConfigPlan knows) can't be changed this way, and saying so beats
// a change that takes effect half.
//
// Any thread; one reload at a time.

using VtepDataPlane.Daemon.Configuration;

namespace VtepDataPlane.Daemon.Hosting;

/// <summary>Reloads the configuration file.</summary>
internal sealed class Reloader(string path, DaemonConfig config, DataPlane dataPlane) : IDisposable
{
    private readonly SemaphoreSlim _one = new(1);
    private DaemonConfig _config = config;

    /// <summary>The configuration in force.</summary>
    public DaemonConfig Config => Volatile.Read(ref _config);

    /// <summary>Reads and applies the file.</summary>
    public async Task<ReloadResult> ReloadAsync()
    {
        await _one.WaitAsync();
        try
        {
            ConfigResult result = ConfigFile.Load(path);
            return result.Config is null ? ReloadResult.Refused([.. result.Errors.Select(error => error.ToString())])
                : await ApplyAsync(result.Config, [.. result.Problems.Select(warning => warning.ToString())]);
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    private async Task<ReloadResult> ApplyAsync(DaemonConfig next, IReadOnlyList<string> warnings)
    {
        var plan = ConfigPlan.Between(_config, next);
        if (plan.NeedsRestart)
            return ReloadResult.Refused([.. plan.Restart.Select(change => $"{VtepConfigRules.Escape(path)}: {Sentence(change)}; restart vtep for that, or undo it")]);
        try
        {
            await dataPlane.ApplyAsync(next.Vtep);
        }
        catch (VtepException refused)
        {
            return ReloadResult.Refused([refused.Message]);
        }
        catch (ObjectDisposedException)
        {
            return ReloadResult.Refused(["vtep is stopping."]);
        }

        Volatile.Write(ref _config, next);
        return new ReloadResult([], plan, warnings);
    }

    private static string Sentence(PlanChange change) => $"$.{change.What}: " + change.Action switch
    {
        PlanAction.Add => "added",
        PlanAction.Remove => "removed",
        _ => $"changed from {VtepConfigRules.Escape(change.Now ?? "nothing")} to {VtepConfigRules.Escape(change.Next ?? "nothing")}",
    };
}

/// <summary>What a reload did.</summary>
/// <param name="Errors">Every error; none: the file is in force now.</param>
/// <param name="Plan">What changed; null when the file isn't in force.</param>
/// <param name="Warnings">What in the file is legal, but hardly meant.</param>
internal sealed record ReloadResult(IReadOnlyList<string> Errors, ConfigPlan? Plan, IReadOnlyList<string> Warnings)
{
    /// <summary>The old configuration is still in force.</summary>
    public static ReloadResult Refused(IReadOnlyList<string> errors) => new(errors, null, []);
}
