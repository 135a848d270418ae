// From a DaemonConfig back to the text of a configuration file, every default filled in: what `vtep show config` prints, and what two
// configurations are compared by (ConfigPlan). Reading the text gives an equal configuration. Rules:
//
// * Only configuration is written, nothing that the running VTEP found out or was told (a derived MTU, learned VTEPs, `vtep fdb add`),
//   so that the text is a file one can start from.
// * What has no value of its own is left out: a port without "mtu" is one whose MTU follows from the routes. The exception is "cache" of
//   an etcd, where null says that nothing is kept.
// * A peer at the underlay's port is written without it, as people write it.
// * What isn't ASCII is written as \u, so that no name moves a terminal.
//
// Pure functions; any thread. No reflection: each key stands here once.

using System.Buffers;
using System.Text.Json;
using VtepDataPlane.Discovery;
using VtepDataPlane.Etcd;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Ports;
using VtepDataPlane.Underlay;

namespace VtepDataPlane.Daemon.Configuration;

/// <summary>Writes configurations in the format of the configuration file.</summary>
internal static class ConfigWriter
{
    private static readonly JsonWriterOptions s_options = new() { Indented = true };

    /// <summary>A whole file, with a line break at its end.</summary>
    public static byte[] Write(DaemonConfig config) => [.. Written(writer => WriteFile(writer, config)), (byte)'\n'];

    /// <summary>One element of <c>bridgeDomains</c>.</summary>
    public static byte[] Write(BridgeDomainConfig domain, ushort underlayPort) => Written(writer => WriteDomain(writer, domain, underlayPort));

    /// <summary>One element of <c>ports</c>.</summary>
    public static byte[] Write(PortConfig port) => Written(writer => WritePort(writer, port));

    private static byte[] Written(Action<Utf8JsonWriter> write)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(bytes, s_options))
            write(writer);
        return bytes.WrittenSpan.ToArray();
    }

    private static void WriteFile(Utf8JsonWriter writer, DaemonConfig config)
    {
        writer.WriteStartObject();
        writer.WriteNumber("workers", config.Vtep.Workers);
        WriteControl(writer, config);
        writer.WriteStartObject("fdb");
        writer.WriteNumber("capacity", config.Vtep.FdbCapacity);
        writer.WriteEndObject();
        WriteUnderlay(writer, config.Vtep.Underlay);
        writer.WriteStartObject("controllers");
        foreach (ControllerSource source in config.Sources)
            WriteController(writer, source);
        writer.WriteEndObject();
        WriteList(writer, "bridgeDomains", config.Vtep.BridgeDomains, domain => WriteDomain(writer, domain, config.Vtep.Underlay.Port));
        writer.WriteEndObject();
    }

    private static void WriteControl(Utf8JsonWriter writer, DaemonConfig config)
    {
        writer.WriteStartObject("control");
        WriteText(writer, "socket", config.ControlSocket);
        WriteText(writer, "http", config.Http?.ToString());
        writer.WriteBoolean("dashboard", config.Dashboard);
        WriteText(writer, "otlp", config.Otlp?.OriginalString);
        writer.WriteEndObject();
    }

    private static void WriteUnderlay(Utf8JsonWriter writer, UnderlayConfig underlay)
    {
        writer.WriteStartObject("underlay");
        WriteText(writer, "local", underlay.Local?.ToString());
        WriteText(writer, "interface", underlay.Interface);
        writer.WriteNumber("port", underlay.Port);
        writer.WriteBoolean("udpChecksum", underlay.UdpChecksum);
        writer.WriteBoolean("acceptZeroChecksumIPv6", underlay.AcceptZeroChecksumIPv6);
        writer.WriteNumber("learnedPeerLimit", underlay.LearnedPeerLimit);
        writer.WriteNumber("learnedPeerAgeing", underlay.LearnedPeerAgeing);
        writer.WriteEndObject();
    }

    private static void WriteController(Utf8JsonWriter writer, ControllerSource source)
    {
        writer.WriteStartObject(source.Config.Name);
        if (source is EtcdSource etcd)
            WriteEtcd(writer, etcd.Config, etcd.Options);
        else if (source is FileSource file)
            WriteFileSource(writer, file);
        writer.WriteEndObject();
    }

    private static void WriteEtcd(Utf8JsonWriter writer, ControllerConfig config, EtcdOptions options)
    {
        writer.WriteStartObject("etcd");
        WriteTexts(writer, "endpoints", options.Endpoints.Select(endpoint => endpoint.GetLeftPart(UriPartial.Authority)));
        WriteText(writer, "prefix", options.Prefix);
        WriteText(writer, "node", config.Node);
        writer.WriteNumber("leaseSeconds", options.LeaseSeconds);
        WriteText(writer, "user", options.User);
        WriteText(writer, "passwordFile", options.PasswordFile);
        WriteTls(writer, options);
        writer.WriteString("cache", options.CacheFile);
        WriteTexts(writer, "allowedVteps", config.AllowedVteps.Select(prefix => prefix.ToString()));
        writer.WriteBoolean("keepOnStop", options.KeepOnStop);
        writer.WriteEndObject();
    }

    private static void WriteTls(Utf8JsonWriter writer, EtcdOptions options)
    {
        if ((options.CaFile ?? options.CertificateFile ?? options.KeyFile) is null)
            return;
        writer.WriteStartObject("tls");
        WriteText(writer, "ca", options.CaFile);
        WriteText(writer, "certificate", options.CertificateFile);
        WriteText(writer, "key", options.KeyFile);
        writer.WriteEndObject();
    }

    private static void WriteFileSource(Utf8JsonWriter writer, FileSource source)
    {
        writer.WriteStartObject("file");
        WriteText(writer, "path", source.Path);
        WriteText(writer, "node", source.Config.Node);
        WriteTexts(writer, "allowedVteps", source.Config.AllowedVteps.Select(prefix => prefix.ToString()));
        writer.WriteEndObject();
    }

    private static void WriteDomain(Utf8JsonWriter writer, BridgeDomainConfig domain, ushort underlayPort)
    {
        writer.WriteStartObject();
        WriteText(writer, "name", domain.Name);
        writer.WriteNumber("vni", domain.Vni.Value);
        WriteList(writer, "ports", domain.Ports, port => WritePort(writer, port));
        writer.WriteStartObject("discovery");
        WriteDiscovery(writer, domain.Discovery, underlayPort);
        writer.WriteEndObject();
        writer.WriteBoolean("learning", domain.Learning);
        writer.WriteNumber("ageing", domain.Ageing);
        writer.WriteNumber("fdbLimit", domain.FdbLimit);
        WriteList(writer, "fdb", domain.Fdb, entry => WriteFdbEntry(writer, entry, underlayPort));
        WritePolicy(writer, domain.Encapsulation);
        writer.WriteEndObject();
    }

    private static void WritePort(Utf8JsonWriter writer, PortConfig port)
    {
        writer.WriteStartObject();
        WriteText(writer, "tap", port.Tap);
        if (port.Mtu is { } mtu)
            writer.WriteNumber("mtu", mtu);
        WriteText(writer, "mac", port.Mac?.ToString());
        WriteText(writer, "bridge", port.Bridge);
        WriteTexts(writer, "addresses", port.Addresses.Select(address => address.ToString()));
        writer.WriteEndObject();
    }

    private static void WriteDiscovery(Utf8JsonWriter writer, DiscoveryConfig discovery, ushort underlayPort)
    {
        if (discovery is StaticDiscovery fixedPeers)
        {
            writer.WriteStartObject("static");
            WriteTexts(writer, "peers", fixedPeers.Peers.Select(peer => EndpointText.Write(peer, underlayPort)));
            writer.WriteEndObject();
        }
        else if (discovery is MulticastDiscovery multicast)
        {
            writer.WriteStartObject("multicast");
            WriteText(writer, "group", multicast.Group.Group.ToString());
            WriteText(writer, "interface", multicast.Group.Interface);
            writer.WriteNumber("ttl", multicast.Ttl);
            writer.WriteEndObject();
        }
        else if (discovery is ControllerDiscovery controller)
        {
            WriteControllerDiscovery(writer, controller);
        }
    }

    private static void WriteControllerDiscovery(Utf8JsonWriter writer, ControllerDiscovery controller)
    {
        writer.WriteStartObject("controller");
        WriteText(writer, "name", controller.Controller);
        WriteText(writer, "mode", ConfigWords.Of(ConfigWords.Mode, controller.Mode));
        writer.WriteBoolean("suppressNeighbors", controller.SuppressNeighbors);
        writer.WriteBoolean("learnFromPeers", controller.LearnFromPeers);
        writer.WriteBoolean("floodUnknown", controller.FloodUnknown);
        writer.WriteNumber("lookupsPerSecond", controller.LookupsPerSecond);
        writer.WriteNumber("lookupTimeout", controller.LookupTimeout);
        writer.WriteNumber("positiveSeconds", controller.PositiveSeconds);
        writer.WriteNumber("negativeSeconds", controller.NegativeSeconds);
        writer.WriteEndObject();
    }

    private static void WriteFdbEntry(Utf8JsonWriter writer, StaticFdbEntry entry, ushort underlayPort)
    {
        writer.WriteStartObject();
        WriteText(writer, "mac", entry.Mac.ToString());
        WriteText(writer, "vtep", entry.Vtep is { } vtep ? EndpointText.Write(vtep, underlayPort) : null);
        WriteText(writer, "port", entry.Port);
        writer.WriteEndObject();
    }

    private static void WritePolicy(Utf8JsonWriter writer, EncapsulationPolicy policy)
    {
        WriteNumberOrInherit(writer, "ttl", policy.Ttl);
        WriteNumberOrInherit(writer, "dscp", policy.Dscp);
        WriteText(writer, "df", ConfigWords.Of(ConfigWords.DontFragment, policy.DontFragment));
        WriteText(writer, "ecn", ConfigWords.Of(ConfigWords.Ecn, policy.Ecn));
        WriteText(writer, "reservedBits", ConfigWords.Of(ConfigWords.ReservedBits, policy.ReservedBits));
        WriteText(writer, "innerVlan", ConfigWords.Of(ConfigWords.InnerVlan, policy.InnerVlan));
    }

    private static void WriteNumberOrInherit(Utf8JsonWriter writer, string key, byte? value)
    {
        if (value is { } number)
            writer.WriteNumber(key, number);
        else
            writer.WriteString(key, ConfigWords.Inherit);
    }

    /// <summary>Nothing when there is no value.</summary>
    private static void WriteText(Utf8JsonWriter writer, string key, string? value)
    {
        if (value is not null)
            writer.WriteString(key, value);
    }

    private static void WriteTexts(Utf8JsonWriter writer, string key, IEnumerable<string> values) =>
        WriteList(writer, key, values, writer.WriteStringValue);

    private static void WriteList<T>(Utf8JsonWriter writer, string key, IEnumerable<T> items, Action<T> write)
    {
        writer.WriteStartArray(key);
        foreach (T item in items)
            write(item);
        writer.WriteEndArray();
    }
}
