// What a controller is read from. The core knows a controller's name, our node id in it and whom it may name; how to reach it is known
// here only.

using VtepDataPlane.Etcd;

namespace VtepDataPlane.Daemon.Configuration;

/// <summary>What a controller is read from.</summary>
/// <param name="Config">What the core knows of it.</param>
internal abstract record ControllerSource(ControllerConfig Config);

/// <summary>An etcd cluster.</summary>
/// <param name="Config">What the core knows of it.</param>
/// <param name="Options">How to reach it.</param>
internal sealed record EtcdSource(ControllerConfig Config, EtcdOptions Options) : ControllerSource(Config)
{
    /// <summary>Same in every part.</summary>
    public bool Equals(EtcdSource? other) =>
        other is not null && Config == other.Config && Options.Endpoints.SequenceEqual(other.Options.Endpoints)
        && Options with { Endpoints = other.Options.Endpoints } == other.Options;

    /// <inheritdoc/>
    public override int GetHashCode() => Config.GetHashCode();
}

/// <summary>A file, see DirectoryFile.</summary>
/// <param name="Config">What the core knows of it.</param>
/// <param name="Path">Absolute path.</param>
internal sealed record FileSource(ControllerConfig Config, string Path) : ControllerSource(Config);
