// wireguard-go: another tunnel in user space with all the offloads of today, over a TUN. It encrypts, which costs what a VTEP doesn't pay, so it is
// context and no contender of equals. It carries IP packets, not frames.

using VtepDataPlane.EndToEnd.Lab;

namespace VtepDataPlane.EndToEnd.Contenders;

/// <summary>wireguard-go on each host.</summary>
internal sealed class WireGuardContender() : Contender("wireguard-go")
{
    private const string SocketFolder = "/var/run/wireguard";
    private static readonly Lazy<(string Private, string Public)[]> s_keys = new(() => [NewKey(), NewKey()]);

    /// <inheritdoc/>
    public override string? WhyAbsent(Needs needs) =>
        base.WhyAbsent(needs) ?? (needs.HasFlag(Needs.Frames) ? "It carries IP packets, no frames." : null);

    /// <inheritdoc/>
    public override Endpoint Join(Segment segment)
    {
        Host host = segment.Host;

        // The control sockets of all namespaces are in one folder, so the name must be unique on the machine.
        string device = $"vtb{Environment.ProcessId}h{host.Number}";
        string socket = $"{SocketFolder}/{device}.sock";
        BackgroundProcess process = host.Start("wireguard-go", ["--foreground", device],
            new Dictionary<string, string> { ["LOG_LEVEL"] = "error", ["WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD"] = "1" });
        Wait.Until("wireguard-go listens", 10, () => IsListening(process, socket));
        string folder = Directory.CreateTempSubdirectory("vtep-bench-wg-").FullName;
        Configure(segment, device, folder);
        const int Overhead = 32; // message header and authentication tag, beyond IP and UDP
        host.SetUpInner(device, segment.Underlay.DatagramSize - Overhead);
        return new Endpoint(device, folder, process, socket);
    }

    private static void Configure(Segment segment, string device, string folder)
    {
        string keyFile = Path.Combine(folder, "key");
        File.WriteAllText(keyFile, s_keys.Value[segment.Host.Number - 1].Private);
        string peer = segment.Underlay.IsV6 ? $"[{segment.Peers[0]}]" : $"{segment.Peers[0]}";
        segment.Host.Exec("wg", "set", device, "private-key", keyFile, "listen-port", $"{Segment.Port}",
            "peer", s_keys.Value[2 - segment.Host.Number].Public, "allowed-ips", "198.19.0.0/24,fd00:19::/64", "endpoint", $"{peer}:{Segment.Port}");
    }

    private static bool IsListening(BackgroundProcess process, string socket)
    {
        process.MustRun();
        return File.Exists(socket);
    }

    private static (string Private, string Public) NewKey()
    {
        string key = Shell.Run("wg", "genkey").Trim();
        string file = Path.GetTempFileName();
        File.WriteAllText(file, key);
        string publicKey = Shell.Run("sh", "-c", $"wg pubkey < {file}").Trim();
        File.Delete(file);
        return (key, publicKey);
    }
}
