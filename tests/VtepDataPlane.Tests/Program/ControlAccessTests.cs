// Who may ask and change, and how many connections that gives.

using System.Net.Sockets;
using NUnit.Framework;
using VtepDataPlane.Daemon.Control;
using VtepDataPlane.Linux.Interop;
using VtepDataPlane.Tests.Discovery;

namespace VtepDataPlane.Tests.Program;

[TestFixture]
public sealed class ControlAccessTests
{
    private const uint Own = 900;
    private const uint ReaderGroup = 901;
    private const uint AdminGroup = 902;

    private static readonly Dictionary<string, uint> s_groups = new() { ["vtep"] = ReaderGroup, ["vtep-admin"] = AdminGroup };

    [TestCase(0u, new uint[] { 0 }, "Change", TestName = "Root may change")]
    [TestCase(Own, new uint[] { Own }, "Change", TestName = "The daemon's own user may change")]
    [TestCase(1000u, new uint[] { 1000, 7, AdminGroup }, "Change", TestName = "A member of vtep-admin may change")]
    [TestCase(1000u, new uint[] { AdminGroup }, "Change", TestName = "A primary group counts too")]
    [TestCase(1000u, new uint[] { 1000, ReaderGroup, AdminGroup }, "Change", TestName = "A member of both may change")]
    [TestCase(1000u, new uint[] { 1000, ReaderGroup }, "Read", TestName = "A member of vtep may read")]
    [TestCase(Caller.Nobody, new uint[] { ReaderGroup }, "Read", TestName = "A group that is mapped counts for a user who is not")]
    [TestCase(1000u, new uint[] { 1000, 0 }, "None", TestName = "Root's group is no right")]
    [TestCase(1000u, new uint[] { 1000, Own }, "None", TestName = "A group with the number of the daemon's user is no right")]
    [TestCase(Caller.Nobody, new uint[] { Caller.Nobody }, "None", TestName = "Nobody may nothing")]
    public void Permission_ComesFromUserAndGroups(uint uid, uint[] groups, string expected) =>
        Assert.That(Access(s_groups).Of(new Caller(1, uid, groups)).ToString(), Is.EqualTo(expected));

    [Test]
    public void GroupThatDoesNotExist_HasNoMembers() =>
        Assert.That(Access([]).Of(new Caller(1, 1000, [1000, 0, ReaderGroup])), Is.EqualTo(Permission.None));

    [Test]
    public void DaemonThatRunsAsNobody_DoesNotObeyNobody()
    {
        var access = new ControlAccess(Caller.Nobody, _ => Caller.Nobody, TimeProvider.System);

        Assert.That(access.Of(new Caller(1, Caller.Nobody, [Caller.Nobody])), Is.EqualTo(Permission.None));
    }

    [Test]
    public void Refusal_NamesTheUserAndTheGroupToJoin()
    {
        ControlAccess access = Access(s_groups);

        Assert.That(access.Refusal(new Caller(1, 1000, [1000]), Permission.Read), Is.EqualTo(
            "uid 1000 may not ask this vtep. Use root, or join group vtep: usermod -aG vtep USER, and log in again."));
        Assert.That(access.Refusal(new Caller(1, 1000, [1000]), Permission.Change), Is.EqualTo(
            "uid 1000 may not change this vtep. Use root, or join group vtep-admin: usermod -aG vtep-admin USER, and log in again."));
        Assert.That(access.Refusal(new Caller(1, 1000, [ReaderGroup]), Permission.Change), Is.EqualTo(
            "uid 1000 may read, but not change, this vtep. Use root, or join group vtep-admin: usermod -aG vtep-admin USER, and log in again."));
        Assert.That(Access([]).Refusal(new Caller(1, 1000, [1000]), Permission.Read), Is.EqualTo(
            "uid 1000 may not ask this vtep. Use root, or make group vtep, which doesn't exist here: groupadd --system vtep; "
            + "then join it: usermod -aG vtep USER, and log in again."));
    }

    [Test]
    public void GroupMadeLater_CountsAfterAWhile_AndIsLookedUpSeldom()
    {
        var time = new ManualTime();
        int asked = 0;
        uint? id = null;
        var access = new ControlAccess(Own, _ => { asked++; return id; }, time);
        var caller = new Caller(1, 1000, [AdminGroup]);

        for (int i = 0; i < 10; i++)
            Assert.That(access.Of(caller), Is.EqualTo(Permission.None));
        Assert.That(asked, Is.EqualTo(2), "one question a name");
        id = AdminGroup;
        time.Advance(6_000);
        Assert.That(access.Of(caller), Is.EqualTo(Permission.Change));
    }

    [Test]
    public void Strangers_UseUpTheirOwnPlacesOnly()
    {
        var budget = new ConnectionBudget();

        Assert.That(Fill(budget, 1000, Permission.None), Is.EqualTo(2));
        Assert.That(Fill(budget, 1001, Permission.None), Is.EqualTo(2));
        Assert.That(Fill(budget, 1002, Permission.None), Is.Zero);
        Assert.That(Fill(budget, null, Permission.None), Is.EqualTo(8), "TCP");
        Assert.That(Fill(budget, 1, Permission.Read), Is.EqualTo(16));
        Assert.That(Fill(budget, 2, Permission.Read), Is.EqualTo(8), "readers leave room");
        Assert.That(Fill(budget, 0, Permission.Change), Is.EqualTo(8));
        Assert.That(Fill(budget, 3, Permission.Change), Is.Zero, "32 in all");
    }

    [Test]
    public void PlaceGivenBack_IsTakenAgain()
    {
        var budget = new ConnectionBudget();
        IDisposable?[] places = [.. Enumerable.Range(0, 16).Select(_ => budget.TryTake(7, Permission.Change))];
        Assert.That(places, Has.None.Null);
        Assert.That(budget.TryTake(7, Permission.Change), Is.Null);

        places[3]!.Dispose();

        Assert.That(Fill(budget, 7, Permission.Change), Is.EqualTo(1));
    }

    [Test]
    public void Groups_AreFoundByTheCLibrary()
    {
        Assert.That(UnixAccounts.FindGroup("root"), Is.Zero);
        Assert.That(UnixAccounts.FindGroup("no-such-group-here"), Is.Null);
        Assert.That(UnixAccounts.FindGroup(""), Is.Null);
    }

    [Test]
    public async Task Caller_IsThisProcess_WithItsGroups()
    {
        using var folder = new TemporaryFolder();
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(folder.File("s")));
        listener.Listen();
        using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await client.ConnectAsync(new UnixDomainSocketEndPoint(folder.File("s")));
        using Socket accepted = await listener.AcceptAsync();

        Caller caller = Caller.Of(accepted);

        Assert.That((caller.Pid, caller.Uid), Is.EqualTo((Environment.ProcessId, UnixAccounts.OwnUser)));
        Assert.That(caller.Groups.Distinct().Order(), Is.EqualTo(OwnGroups().Distinct().Order()));
    }

    private static ControlAccess Access(Dictionary<string, uint> groups) =>
        new(Own, name => groups.TryGetValue(name, out uint id) ? id : null, TimeProvider.System);

    private static int Fill(ConnectionBudget budget, uint? uid, Permission permission)
    {
        int taken = 0;
        while (taken < 100 && budget.TryTake(uid, permission) is not null)
            taken++;
        return taken;
    }

    private static IEnumerable<uint> OwnGroups() => File.ReadLines("/proc/self/status")
        .Where(line => line.StartsWith("Gid:", StringComparison.Ordinal) || line.StartsWith("Groups:", StringComparison.Ordinal))
        .SelectMany(line => line.Split(':')[1].Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)).Select(uint.Parse);
}
