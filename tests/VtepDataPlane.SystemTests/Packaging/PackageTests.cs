// The life of the package in a booted Debian: installed, started, used by two groups, reloaded, killed, hung, upgraded, purged. One container for
// all, since it is one life, and one test, since each step stands on the one before.

using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Operation;

namespace VtepDataPlane.SystemTests.Packaging;

[Parallelizable(ParallelScope.Self)] // these wait more than they work
internal sealed class PackageTests
{
    private const string Configuration = "/etc/vtep/vtep.jsonc";

    // Beside the service there is a peer, in a network namespace of the container.
    private const string Network = """
        set -e
        ip netns add peer
        ip link add eth0 type veth peer name eth0 netns peer
        ip address add 198.18.0.1/24 dev eth0; ip link set eth0 up; ip link set lo up
        ip -n peer address add 198.18.0.2/24 dev eth0; ip -n peer link set eth0 up; ip -n peer link set lo up
        systemd-run --quiet --unit=peer --property=NetworkNamespacePath=/run/netns/peer /usr/bin/vtep run --config /run/peer.jsonc
        """;

    private string _folder = null!;
    private BootedContainer _container = null!;

    [OneTimeSetUp]
    public void BuildAndBoot()
    {
        _folder = Directory.CreateTempSubdirectory("vtep-test-").FullName;
        Command.Run("chmod", "755", _folder).OrFail();
        string package = PackageFiles.Build(NativeProgram.Executable, _folder);
        File.Move(package, Path.Combine(_folder, "vtep.deb"));
        _container = new BootedContainer(_folder);
    }

    [OneTimeTearDown]
    public void End()
    {
        _container?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Test]
    public void FromInstallationToPurge()
    {
        Installed_ItIsEnabled_AndNeitherStartedNorFailed_UntilItIsConfigured();
        Started_ItIsReadyWithoutACapability_AndCarriesFramesToAPeer();
        MembersOfTwoGroups_MayChangeOrAsk_AndStrangersNeither();
        Reload_MakesNewDevicesFirst_AndFailsWithTheReason_WhenTheFileIsBad();
        Killed_ItIsRestarted_OnTheSameDevices();
        Hung_ItIsKilledByTheWatchdog_AndStartedAgain();
        StartedWithABadConfiguration_ItFailsOnce();
        Upgraded_ItIsRestarted_OnTheSameDevices_WithTheOperatorsConfiguration();
        Purged_ItLeavesNothing_ButItsUserAndGroups();
    }

    private void Installed_ItIsEnabled_AndNeitherStartedNorFailed_UntilItIsConfigured()
    {
        CommandResult installed = _container.Try("dpkg", "-i", "/mnt/vtep.deb").OrFail();

        Assert.That(installed.Output, Does.Contain("vtep is enabled, and starts once it is configured: write /etc/vtep/vtep.jsonc"));
        Assert.That(_container.Shell("systemctl is-enabled vtep").Trim(), Is.EqualTo("enabled"));
        Assert.That(_container.Property("vtep", "ActiveState"), Is.EqualTo("inactive"));
        Assert.That(_container.Property("vtep", "Result"), Is.Not.EqualTo("success").And.EqualTo("exec-condition"));
        Assert.That(_container.Shell("systemctl --failed --quiet"), Is.Empty);
        Assert.That(_container.Shell("getent passwd vtep; getent group vtep vtep-admin"), Does.Contain("nologin").And.Contain("vtep-admin:"));
        Assert.That(_container.Shell($"vtep check {Configuration}"), Does.Contain("is valid: 0 bridge domains"));
        Assert.That(_container.Shell("systemd-analyze verify --man=yes vtep.service vtep-setup.service 2>&1"), Is.Empty);
        Assert.That(_container.Shell("source /usr/share/bash-completion/completions/vtep; COMP_WORDS=(vtep sho); COMP_CWORD=1 COMP_LINE='vtep sho' COMP_POINT=8; _vtep; echo ${COMPREPLY[@]}").Trim(),
            Is.EqualTo("show"));
    }

    private void Started_ItIsReadyWithoutACapability_AndCarriesFramesToAPeer()
    {
        Configure("/run/peer.jsonc", "198.18.0.2", "198.18.0.1", """{ "tap": "tap-blue", "addresses": [ "198.19.0.2/24" ] }""", socket: "/run/peer.sock");
        Configure(Configuration, "198.18.0.1", "198.18.0.2", Blue);
        _container.Shell(Network);

        CommandResult started = _container.Try("systemctl", "start", "vtep");

        Assert.That(started.ExitCode, Is.Zero, Journal());
        Assert.That(_container.Property("vtep", "ActiveState"), Is.EqualTo("active"));
        Assert.That(_container.Shell($"cat /proc/{MainProcess()}/status"), Does.Match("CapEff:\t0+\n").And.Match("CapBnd:\t0+\n").And.Match("NoNewPrivs:\t1\n"));
        Assert.That(_container.Shell($"nsenter --mount --target {MainProcess()} ls /home 2>&1 || true"), Does.Contain("No such file or directory"));
        Assert.That(_container.Shell("journalctl --quiet --output=cat --unit=vtep-setup"), Does.Contain("tap-blue: made for vtep; MTU 1450"));
        AssertFramesCross();
        Assert.That(_container.Shell("journalctl --quiet --output=json --unit=vtep --lines=1 | grep -c _SYSTEMD_UNIT").Trim(), Is.EqualTo("1"));
    }

    private void MembersOfTwoGroups_MayChangeOrAsk_AndStrangersNeither()
    {
        _container.Shell("useradd --groups vtep-admin changer; useradd --groups vtep asker; useradd stranger");

        Assert.That(As("changer", "vtep show status").ExitCode, Is.Zero);
        Assert.That(As("changer", "vtep reload"), Has.Property("ExitCode").Zero);
        Assert.That(As("asker", "vtep show status").ExitCode, Is.Zero);
        Assert.That(As("asker", "vtep reload").ExitCode, Is.Not.Zero);
        Assert.That(As("stranger", "vtep show status").ExitCode, Is.Not.Zero);
        Assert.That(As("stranger", "vtep reload").ExitCode, Is.Not.Zero);
    }

    private void Reload_MakesNewDevicesFirst_AndFailsWithTheReason_WhenTheFileIsBad()
    {
        string before = MainProcess();
        Configure(Configuration, "198.18.0.1", "198.18.0.2", Blue + """, { "tap": "tap-new" }""");
        Assert.That(_container.Try("systemctl", "reload", "vtep").ExitCode, Is.Zero, Journal());
        Assert.That(_container.Shell("vtep show ports"), Does.Contain("tap-new"));

        _container.Shell($"cp {Configuration} /run/good.jsonc; echo '{{ \"x\": 1 }}' > {Configuration}");
        Assert.That(_container.Try("systemctl", "reload", "vtep").ExitCode, Is.Not.Zero);
        Assert.That(_container.Shell("systemctl status vtep || true"), Does.Contain("unknown key 'x'").And.Contain("active (running)"));
        _container.Shell($"cp /run/good.jsonc {Configuration}");
        Assert.That(MainProcess(), Is.EqualTo(before));
        AssertFramesCross();
    }

    private void Killed_ItIsRestarted_OnTheSameDevices()
    {
        string before = MainProcess();
        string device = Device();

        _container.Shell($"kill -KILL {before}");

        Wait.Until("another process runs", () => _container.Property("vtep", "ActiveState") == "active" && MainProcess() is not "0" and var now && now != before, 10, Journal);
        Assert.That(Device(), Is.EqualTo(device));
        AssertFramesCross();
    }

    private void Hung_ItIsKilledByTheWatchdog_AndStartedAgain()
    {
        _container.Shell("""
            mkdir -p /run/systemd/system/vtep.service.d
            printf '[Service]\nWatchdogSec=2\nTimeoutAbortSec=1\n' > /run/systemd/system/vtep.service.d/quick.conf
            systemctl daemon-reload && systemctl restart vtep
            """);
        string before = MainProcess();

        _container.Shell($"kill -STOP {before}");

        Wait.Until("another process runs", () => _container.Property("vtep", "ActiveState") == "active" && MainProcess() is not "0" and var now && now != before, 15, Journal);
        Assert.That(Journal(), Does.Contain("Watchdog timeout"));
        _container.Shell("rm -r /run/systemd/system/vtep.service.d && systemctl daemon-reload && systemctl restart vtep");
    }

    private void StartedWithABadConfiguration_ItFailsOnce()
    {
        _container.Shell($"systemctl stop vtep; echo '{{' > {Configuration}");

        Assert.That(_container.Try("systemctl", "start", "vtep").ExitCode, Is.Not.Zero);

        Assert.That(_container.Property("vtep", "ActiveState"), Is.EqualTo("failed"), "and not waiting for a restart");
        Assert.That(_container.Property("vtep", "ExecMainStatus"), Is.EqualTo("2"));
        _container.Shell($"cp /run/good.jsonc {Configuration}; systemctl restart vtep");
    }

    private void Upgraded_ItIsRestarted_OnTheSameDevices_WithTheOperatorsConfiguration()
    {
        string before = MainProcess();
        string device = Device();

        _container.Try("dpkg", "-i", "/mnt/vtep.deb").OrFail();

        Assert.That(_container.Property("vtep", "ActiveState"), Is.EqualTo("active"));
        Assert.That(MainProcess(), Is.Not.EqualTo(before));
        Assert.That(Device(), Is.EqualTo(device));
        Assert.That(_container.Shell($"cmp /run/good.jsonc {Configuration}"), Is.Empty);
        AssertFramesCross();
    }

    private void Purged_ItLeavesNothing_ButItsUserAndGroups()
    {
        _container.Shell("systemctl stop peer");
        _container.Try("dpkg", "--purge", "vtep").OrFail();

        Assert.That(_container.Shell("ls -d /etc/vtep /var/lib/vtep /run/vtep /usr/lib/vtep /usr/share/vtep /usr/share/doc/vtep /usr/bin/vtep 2> /dev/null || true"), Is.Empty);
        Assert.That(_container.Shell("find /etc /lib/systemd /usr/lib/systemd /run/systemd/system /var/lib/systemd -name '*vtep*' ! -name vtep-test.target"), Is.Empty);
        Assert.That(_container.Shell("ip -brief link"), Does.Not.Contain("tap-"));
        Assert.That(_container.Shell("systemctl --failed --quiet"), Is.Empty);
        Assert.That(_container.Shell("getent passwd vtep"), Does.StartWith("vtep:"));
    }

    private const string Blue = """{ "tap": "tap-blue", "addresses": [ "198.19.0.1/24" ] }""";

    private void Configure(string path, string local, string peer, string ports, string socket = "/run/vtep/vtep.sock") => _container.Shell($$"""
        cat > {{path}} << 'END'
        { "control": { "socket": "{{socket}}" }, "underlay": { "local": "{{local}}" },
          "bridgeDomains": [ { "name": "blue", "vni": 100, "ports": [ {{ports}} ], "discovery": { "static": { "peers": [ "{{peer}}" ] } } } ] }
        END
        """);

    private CommandResult As(string user, string line) => _container.Try("runuser", "-u", user, "--", "bash", "-c", line);

    private string MainProcess() => _container.Property("vtep", "MainPID");

    private string Device() => _container.Shell("cat /sys/class/net/tap-blue/ifindex");

    private string Journal() => _container.Shell("journalctl --quiet --no-pager --lines=40");

    private void AssertFramesCross()
    {
        Wait.Until("the peer answers", () => _container.Try("ping", "-c", "1", "-W", "1", "198.19.0.2").ExitCode == 0, 15, Journal);
        Assert.That(_container.Shell("ping -c 20 -i 0.02 198.19.0.2"), Does.Contain(" 0% packet loss"));
    }
}
