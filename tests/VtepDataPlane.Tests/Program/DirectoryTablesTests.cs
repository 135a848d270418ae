// What controllers said, as tables and as JSON: exact text, and nothing of theirs reaches a terminal unescaped.

using System.Text.Json;
using NUnit.Framework;
using VtepDataPlane.Daemon.Control;
using VtepDataPlane.Daemon.Tables;
using VtepDataPlane.Diagnostics;
using VtepDataPlane.Discovery;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Program;

[TestFixture]
public sealed class DirectoryTablesTests
{
    private static readonly MacAddress s_mac = MacAddress.Parse("02:00:5e:10:00:01");

    private static readonly ControllerSnapshot s_controller = new(
        "main", "h1", "degraded", "etcd doesn't answer.", 1500, 3, 7, 42, true, new Dictionary<string, int> { ["vtep"] = 3, ["mac"] = 2 }, 1,
        new Dictionary<string, long> { ["VtepNotAllowed"] = 4 }, 5, 2, new Dictionary<string, long> { ["start"] = 1 }, 6, 8, 10, 9, 1);

    private static readonly DirectoryContentSnapshot s_content = new(
        [
            new("main", "vtep", "h2", null, null, null, "198.18.0.2:4789", null, false, 60, false, true, "the only one"),
            new("main", "mac", "h2", new Vni(100), s_mac, null, "198.18.0.2:4789", 3, true, 5, true, false, "lower sequence"),
            new("main", "neighbor", "h2", new Vni(100), s_mac, "198.19.0.2", null, 3, false, 5, false, true, "the only one"),
        ],
        [new("main", "/vtep/v1/lab/\u001b[31m", "KeyUnknown", "this key is none of ours", 9)]);

    [Test]
    public void Directory_IsATableOfRecords_AndOneOfThoseRejected() =>
        Assert.That(Drawn((output, terminal) => DirectoryTables.Write(s_content, output, terminal)), Is.EqualTo("""
            CONTROLLER  VNI  KIND      KEY                              OWNER  VTEP             SEQ   AGE  STALE  WINS  WHY
            main          -  vtep      -                                h2     198.18.0.2:4789    -  60 s  -      yes   the only one
            main        100  mac       02:00:5e:10:00:01 sticky         h2     198.18.0.2:4789    3   5 s  stale  no    lower sequence
            main        100  neighbor  198.19.0.2 at 02:00:5e:10:00:01  h2     -                  3   5 s  -      yes   the only one

            CONTROLLER  REJECTED                 REASON      AGE  DETAIL
            main        /vtep/v1/lab/\u001b[31m  KeyUnknown  9 s  this key is none of ours

            """));

    [Test]
    public void Directory_AsJson_HasTheSnapshotsNames_AndIsReadAgain()
    {
        string json = JsonSerializer.Serialize(s_content, ControlJson.Default.DirectoryContentSnapshot);

        Assert.That(json, Does.StartWith(
            """{"records":[{"controller":"main","kind":"vtep","owner":"h2","vni":null,"mac":null,"address":null,"vtep":"198.18.0.2:4789","sequence":null"""
            + ""","sticky":false,"ageSeconds":60,"stale":false,"winner":true,"why":"the only one"},{"controller":"main","kind":"mac","owner":"h2","vni":100"""
            + ""","mac":"02:00:5e:10:00:01","address":null,"vtep":"198.18.0.2:4789","sequence":3,"sticky":true"""));
        Assert.That(json, Does.EndWith(
            """],"rejected":[{"controller":"main","name":"/vtep/v1/lab/\u001B[31m","reason":"KeyUnknown","detail":"this key is none of ours","ageSeconds":9}]}"""));
        DirectoryContentSnapshot read = JsonSerializer.Deserialize(json, ControlJson.Default.DirectoryContentSnapshot)!;
        Assert.That(read.Records, Is.EqualTo(s_content.Records));
        Assert.That(read.Rejected, Is.EqualTo(s_content.Rejected));
    }

    [Test]
    public void Neighbors_AreATable()
    {
        NeighborSnapshot[] neighbors = [new(new Vni(100), InetAddress.Parse("198.19.0.2"), s_mac, false, true), new(new Vni(7), InetAddress.Parse("fd00::2"), s_mac, true, false)];

        Assert.That(Drawn((output, terminal) => DirectoryTables.Write(neighbors, output, terminal)), Is.EqualTo("""
            VNI  ADDRESS     MAC                WHERE   ROUTER
            100  198.19.0.2  02:00:5e:10:00:01  local   no
              7  fd00::2     02:00:5e:10:00:01  remote  yes

            """));
    }

    [Test]
    public void Differences_AreATable()
    {
        DirectoryDifference[] differences = [new("main", new Vni(100), "station", "02:00:5e:10:00:01", "198.18.0.2:4789", null), new("main", null, "peer", "h3", null, "198.18.0.3:4789")];

        Assert.That(Drawn((output, terminal) => DirectoryTables.Write(differences, output, terminal)), Is.EqualTo("""
            CONTROLLER  VNI  WHAT     KEY                STORE            DATA PLANE
            main        100  station  02:00:5e:10:00:01  198.18.0.2:4789  -
            main          -  peer     h3                 -                198.18.0.3:4789

            """));
        Assert.That(JsonSerializer.Serialize(differences, ControlJson.Default.IReadOnlyListDirectoryDifference), Does.StartWith(
            """[{"controller":"main","vni":100,"what":"station","key":"02:00:5e:10:00:01","store":"198.18.0.2:4789","dataPlane":null},"""));
    }

    [Test]
    public void Controller_IsRowsOfTheStatus()
    {
        var status = new VtepSnapshot(default, 4789, true, 2, 1, 3, 4, 5, 6, [s_controller], ["x"]);

        Assert.That(Drawn((output, terminal) => SnapshotTables.Write(status, output, terminal)), Does.EndWith("""
            controller main        degraded for 3 s, by what was kept on disk
              problem              etcd doesn't answer.
              backoff              1.5 s between attempts
              node                 h1
              last event           7 s ago, revision 42
              records              mac 2, vtep 3
              stale records        1
              rejected so far      VtepNotAllowed 4; see vtep show directory
              published            5, not written yet: 2
              complete readings    start 1
              vteps held           6, which the store has lost at once; vtep directory accept lets them go
              frozen stations      8
              lookups              10, found: 9, unanswered: 1
            warning                x

            """));
    }

    [Test]
    public void Controller_AsJson_HasTheSnapshotsNames() =>
        Assert.That(JsonSerializer.Serialize(new VtepSnapshot(default, 4789, true, 2, 1, 3, 4, 5, 6, [s_controller], []), ControlJson.Default.VtepSnapshot),
            Does.Contain("""
                "controllers":[{"name":"main","node":"h1","state":"degraded","problem":"etcd doesn\u0027t answer.","backoffMilliseconds":1500,"stateSeconds":3,"lastEventSeconds":7,"revision":42,"fromCache":true,"records":{"vtep":3,"mac":2},"stale":1,"rejected":{"VtepNotAllowed":4},"published":5,"publishPending":2,"resyncs":{"start":1},"shrinkHeld":6,"frozen":8,"lookups":10,"lookupsFound":9,"lookupsUnanswered":1}]
                """));

    private static string Drawn(Action<TextWriter, Terminal> draw)
    {
        using var output = new StringWriter();
        draw(output, Terminal.Plain);
        return output.ToString();
    }
}
