// A Debian that boots, without a download: an overlay over this machine's own file system, with its own systemd as process 1 and nothing
// enabled in it but the bus. What is written goes to memory and is gone with the container. Processes, network, mounts and cgroups are its own.
//
//   unshare --mount   mounts that end with the process: a tmpfs, the overlay on it, a cgroup2 hierarchy
//   systemd-nspawn    namespaces, /proc, /sys, /dev, and process 1; --keep-unit and --register=no, since the machine itself may have no systemd
//
// Commands run in it by nsenter(1). The machine needs overlayfs and cgroup2; which controllers cgroup2 has is up to the machine, and where the memory
// controller is mounted as version 1 MemoryMax= isn't enforced inside.

using System.Globalization;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;

namespace VtepDataPlane.SystemTests.Packaging;

/// <summary>A booted container.</summary>
internal sealed class BootedContainer : IDisposable
{
    // $1: a folder of ours, seen inside as /mnt; $2: the name of the cgroup
    private const string Boot = """
        set -e
        umount -l /sys/fs/cgroup 2> /dev/null || true
        mount -t cgroup2 none /sys/fs/cgroup
        mkdir -p "/sys/fs/cgroup/$2"
        echo $$ > "/sys/fs/cgroup/$2/cgroup.procs"
        mkdir "$1/place"
        mount -t tmpfs none "$1/place"
        cd "$1/place"
        mkdir upper work root share
        mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
        rm -rf root/etc/systemd/system/*.wants root/etc/systemd/system/default.target root/usr/sbin/policy-rc.d root/etc/vtep root/var/lib/vtep
        printf '[Unit]\nRequires=basic.target dbus.service\nAfter=basic.target dbus.service\n' > root/etc/systemd/system/vtep-test.target
        mknod -m 666 share/tun c 10 200
        exec env SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn --quiet --boot --register=no --keep-unit --directory=root \
            --private-network --console=pipe --link-journal=no --resolv-conf=off --timezone=off --settings=no \
            --bind="$PWD/share/tun:/dev/net/tun" --bind-ro="$1:/mnt" systemd.unit=vtep-test.target
        """;

    private readonly string _folder;
    private readonly string _cgroup = string.Create(CultureInfo.InvariantCulture, $"vtep-test-{Environment.ProcessId}-{Guid.NewGuid():N}");
    private readonly BackgroundProcess _process;
    private readonly int _init;

    /// <summary>Boots it.</summary>
    /// <param name="folder">What it sees as /mnt.</param>
    public BootedContainer(string folder)
    {
        Requirements.Need("systemd-nspawn", "unshare", "nsenter");
        _folder = folder;
        _process = new BackgroundProcess("unshare", ["--mount", "--cgroup", "sh", "-c", Boot, "sh", folder, _cgroup]);
        try
        {
            int init = 0;
            Wait.Until("the container has a process 1", () => Runs() && (init = FindInit()) != 0, 20, () => _process.Text);
            _init = init;
            Wait.Until("the container has booted", () => Runs() && Try("systemctl", "is-system-running").Output.Trim() is "running" or "degraded", 40, () => _process.Text);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Runs a program in it.</summary>
    public CommandResult Try(params IEnumerable<string> line) => Command.Run(TimeSpan.FromSeconds(60), "nsenter",
        ["--target", $"{_init}", "--all", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8", .. line]);

    /// <summary>Runs a line of the shell in it, which must succeed; gives its output.</summary>
    public string Shell(string line) => Try("bash", "-c", line).OrFail().Output;

    /// <summary>A property of a unit, as systemctl(1) shows it.</summary>
    public string Property(string unit, string name) => Try("systemctl", "show", "--value", $"--property={name}", unit).OrFail().Output.Trim();

    /// <summary>Ends everything in it.</summary>
    public void Dispose()
    {
        Command.Run("unshare", "--mount", "sh", "-c", "umount -l /sys/fs/cgroup 2> /dev/null; mount -t cgroup2 none /sys/fs/cgroup && cd /sys/fs/cgroup && "
            + "echo 1 > \"$1/cgroup.kill\" && for i in $(seq 100); do " // all that the container is made of, and nothing else
            + "find \"$1\" -depth -type d -exec rmdir {} + 2> /dev/null; test -d \"$1\" || exit 0; sleep 0.05; done; exit 1", "sh", _cgroup).OrFail();
        _process.Dispose();
        Directory.Delete(Path.Combine(_folder, "place"), recursive: true);
    }

    private bool Runs() => _process.HasExited ? throw new AssertionException($"The container could not be started.\n{_process.Text}") : true;

    // nspawn's child whose own process number is 1: the last of the numbers a process has in the namespaces around it.
    private int FindInit() => File.ReadAllText($"/proc/{_process.Id}/task/{_process.Id}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries)
        .Select(child => int.Parse(child, CultureInfo.InvariantCulture))
        .FirstOrDefault(child => File.ReadAllText($"/proc/{child}/comm").Trim() == "systemd");
}
