// A cluster of three, whose leader dies under churn.

using System.Net.Sockets;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Traffic;

namespace VtepDataPlane.SystemTests.Controllers;

[Parallelizable(ParallelScope.Self)] // these wait more than they work
internal sealed class EtcdClusterTests : ControllerTestBed
{
    [Test]
    public void LeaderThatDies_CostsNothing_AndChangesGoOn()
    {
        Make(Lab.Switched(AddressFamily.InterNetwork, hosts: 3));
        EtcdMember[] members = [.. EtcdMember.Cluster(Lab.Hosts).Select(Own)];
        StartThree(new LabController("main") { Endpoints = [.. members.Select(member => member.Endpoint)] });
        AnnounceStoreTrouble();
        Ping.UntilReached(Vteps[0].Station, Vteps[1].Station.Address4);
        BackgroundProcess ping = Ping.Start(Vteps[0].Station, Vteps[1].Station.Address4, 0.01);

        members.Single(member => member.IsLeader()).Kill();
        Announce(Vteps[2], Anna);

        Report("a change shows after the leader's death", WaitUntilFdb(Vteps[0], Anna, Behind(Vteps[2]), seconds: 20));
        WaitUntilFdb(Vteps[1], Anna, Behind(Vteps[2]), seconds: 20);
        AssertNothingLost(ping, "the death of the store's leader");
        WaitUntilNoDifference(30);
    }
}
