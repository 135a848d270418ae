// What the tests of this project need from the machine. A test that can't run fails, with the reason and the remedy: a
// skipped test would look like a passed one.

using NUnit.Framework;

namespace VtepDataPlane.SystemTests.Namespaces;

/// <summary>Checks what the machine lacks.</summary>
internal static class Requirements
{
    private static readonly Dictionary<string, string> s_packages = new()
    {
        ["ip"] = "iproute2",
        ["etcd"] = "etcd-server",
        ["etcdctl"] = "etcd-client",
        ["bridge"] = "iproute2",
        ["tc"] = "iproute2",
        ["ping"] = "iputils-ping",
        ["tcpdump"] = "tcpdump",
        ["mergecap"] = "wireshark-common",
        ["tshark"] = "tshark",
        ["ethtool"] = "ethtool",
        ["sysctl"] = "procps",
        ["nft"] = "nftables",
        ["nm"] = "binutils",
        ["objdump"] = "binutils",
        ["strip"] = "binutils",
        ["systemd-nspawn"] = "systemd-container",
        ["systemd-analyze"] = "systemd",
        ["dpkg-deb"] = "dpkg",
        ["man"] = "man-db",
        ["unshare"] = "util-linux",
        ["nsenter"] = "util-linux",
        ["promtool"] = "prometheus",
        ["ovs-vsctl"] = "openvswitch-switch",
        ["ovs-vswitchd"] = "openvswitch-switch",
        ["ovsdb-server"] = "openvswitch-switch",
        ["setpriv"] = "util-linux",
        ["script"] = "bsdutils",
    };

    /// <summary>Fails the test unless it runs as root and all <paramref name="programs"/> are there.</summary>
    public static void Need(params IEnumerable<string> programs)
    {
        if (!Environment.IsPrivilegedProcess)
            Assert.Fail("Needs root, because it makes network namespaces: run 'sudo tests/run.sh system'.");
        foreach (string program in programs)
        {
            if (!IsInstalled(program))
                Assert.Fail($"Needs {program}. {Remedy(program)}");
        }
    }

    /// <summary>How to get a program.</summary>
    public static string Remedy(string program) =>
        $"Install it: 'apt-get install {s_packages.GetValueOrDefault(program, program)}', or let 'tests/run.sh' do it as root.";

    private static bool IsInstalled(string program) =>
         new[] { "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin" }
            .Any(folder => File.Exists(Path.Combine(folder, program)));
}
