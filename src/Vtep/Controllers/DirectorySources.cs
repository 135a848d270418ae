// The sources of records that a configuration file can name.

using Microsoft.Extensions.Logging;
using VtepDataPlane.Daemon.Configuration;
using VtepDataPlane.Discovery;
using VtepDataPlane.Etcd;

namespace VtepDataPlane.Daemon.Controllers;

/// <summary>Makes the source of a controller.</summary>
internal static class DirectorySources
{
    /// <summary>Makes the source of the controller by that name. Nothing is connected or read yet.</summary>
    /// <exception cref="ArgumentException">There is no such controller.</exception>
    public static IDirectory Open(DaemonConfig config, string name, ILoggerFactory loggers) =>
        config.Sources.FirstOrDefault(source => source.Config.Name == name) switch
        {
            EtcdSource etcd => new EtcdDirectory(etcd.Options, TimeProvider.System, new Random()),
            FileSource file => new FileDirectory(file.Path, config.Vtep.Underlay.Port, loggers.CreateLogger<FileDirectory>(), TimeProvider.System),
            _ => throw new ArgumentException($"There is no controller {VtepConfigRules.Quote(name)}.", nameof(name)),
        };
}
