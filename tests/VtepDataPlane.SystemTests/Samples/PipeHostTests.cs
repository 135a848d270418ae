// samples/PipeHost, a host at the end of a pipe behind a VTEP without a device and without a right, and the kernel's vxlan device that pings it.

using System.Net.Sockets;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Operation;
using VtepDataPlane.SystemTests.Traffic;

namespace VtepDataPlane.SystemTests.Samples;

[Parallelizable(ParallelScope.Self)] // these wait more than they work
internal sealed class PipeHostTests
{
    [TestCase(AddressFamily.InterNetwork)]
    [TestCase(AddressFamily.InterNetworkV6)]
    public void AHostInAProcessWithoutRights_AnswersTheKernel(AddressFamily underlay)
    {
        using var lab = Lab.Switched(underlay, hosts: 2);
        (LabHost one, LabHost two) = (lab.Hosts[0], lab.Hosts[1]);
        Station here = one.Station("none");
        string[] options =
        [
            "--local", $"{one.Underlay}", "--peer", $"{two.Underlay}", "--vni", "100", "--address", $"{here.Address4}", "--address", $"{here.Address6}",
        ];
        BackgroundProcess host = one.Namespace.Start(Privileges.None[0], [.. Privileges.None.Skip(1), SampleProgram.Path("PipeHost"), .. options]);
        host.WaitForLine("answers for");

        KernelVxlan kernel = KernelVxlan.WithPeers(lab, two, vni: 100, [one.Underlay]);
        Ping.UntilReached(kernel.Station, here.Address4);
        Ping.AssertReaches(kernel.Station, here, count: 50, payload: lab.OverlayMtu - 48);
        Assert.That(kernel.Fdb(), Does.Contain("02:00:00:00:00:01").And.Contain($"{one.Underlay}"), "the kernel has learned where the host is");

        host.Signal("TERM");
        Assert.That(host.WaitForExit(TimeSpan.FromSeconds(5)), Is.Zero, host.Text);
        Assert.That(host.Text, Does.Match(@"Answered [1-9]\d* requests for the MAC and 10[1-9] pings"));
    }
}
