// Two VTEPs that know each other through one file, edited while frames flow: replaced by renaming, reached by another link, and broken.

using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Traffic;

namespace VtepDataPlane.SystemTests.Controllers;

[Parallelizable(ParallelScope.Self)] // these wait more than they work
internal sealed class FileSourceTests : ControllerTestBed
{
    private string _folder = "";

    /// <summary>What the VTEPs read: a link to a directory stands on the way, as with a ConfigMap.</summary>
    private string Link => Path.Combine(_folder, "data");

    [Test]
    public void StationThatMoves_ByARenamedFile_IsFollowed_WithoutALoss()
    {
        StartTwo();
        BackgroundProcess ping = Ping.Start(Vteps[0].Station, Vteps[1].Station.Address4, 0.01);
        WaitUntilFdb(Vteps[0], Anna, Behind(Vteps[1]));
        Assert.That(Vteps[1].Fdb(Anna), Is.Empty, "its own stations are where it hears them");

        Replace(Text(generation: 2, annaAt: 1));

        Report("a moved station is found", WaitUntilFdb(Vteps[1], Anna, Behind(Vteps[0])));
        Wait.Until("the first has forgotten it", () => Vteps[0].Fdb(Anna).Count == 0);
        Wait.Until("the generation is shown", () => (long)Controller(Vteps[0])["revision"]! == 2);
        AssertNothingLost(ping, "a change of the file");
    }

    [Test]
    public void LinkOnTheWay_SwappedForAnother_IsFollowed_WithoutALoss()
    {
        StartTwo();
        BackgroundProcess ping = Ping.Start(Vteps[0].Station, Vteps[1].Station.Address4, 0.01);
        string next = Directory.CreateDirectory(Path.Combine(_folder, "second")).FullName;
        File.WriteAllText(Path.Combine(next, "directory.json"), Text(generation: 2, annaAt: 1));

        File.CreateSymbolicLink(Link + ".new", next);
        Command.Run("mv", "-T", Link + ".new", Link).OrFail(); // rename(2): File.Move follows the link

        Report("the other file is read", WaitUntilFdb(Vteps[1], Anna, Behind(Vteps[0])));
        Wait.Until("the generation is shown", () => (long)Controller(Vteps[0])["revision"]! == 2);
        AssertNothingLost(ping, "a swap of links");
    }

    [Test]
    public void BrokenEdit_ChangesNothing_AndTheStatusSaysWhere()
    {
        StartTwo();
        AnnounceFileTrouble();
        BackgroundProcess ping = Ping.Start(Vteps[0].Station, Vteps[1].Station.Address4, 0.01);

        Replace(Text(generation: 2, annaAt: 1).Replace("\"" + Anna + "\"", "\"02:00:00:00:00\"", StringComparison.Ordinal));

        WaitUntilState(Vteps[0], "degraded");
        Assert.That((string)Controller(Vteps[0])["problem"]!, Does.Contain("directory.json").And.Contains(":5:").And.Contains("stations[0].mac"));
        Assert.That(Vteps[0].Fdb(Anna), Is.EqualTo(new[] { Behind(Vteps[1]) }), "what it said before stays in force");
        Replace(Text(generation: 3, annaAt: 1));
        WaitUntilState(Vteps[0], "connected");
        WaitUntilFdb(Vteps[1], Anna, Behind(Vteps[0]));
        AssertNothingLost(ping, "a broken edit");
    }

    private void StartTwo()
    {
        Make(Lab.Switched(System.Net.Sockets.AddressFamily.InterNetwork, hosts: 2));
        _folder = Own(new TemporaryFolder()).Path;
        string first = Directory.CreateDirectory(Path.Combine(_folder, "first")).FullName;
        File.WriteAllText(Path.Combine(first, "directory.json"), Text(generation: 1, annaAt: 2));
        File.CreateSymbolicLink(Link, first);
        var controller = new LabController("main") { File = Path.Combine(Link, "directory.json") };
        Vteps = [.. Lab.Hosts.Take(2).Select(host => Start(host, Domain(controller)))];
        WaitUntilAcquainted();
        Ping.UntilReached(Vteps[0].Station, Vteps[1].Station.Address4);
    }

    private void Replace(string text)
    {
        string path = Path.Combine(Link, "directory.json");
        File.WriteAllText(path + ".new", text);
        File.Move(path + ".new", path, overwrite: true);
    }

    private void AnnounceFileTrouble()
    {
        foreach (VtepProcess vtep in Vteps)
            vtep.Announce("(?i)controller|directory");
    }

    // Anna stands in line 5 when she is at the first node.
    private string Text(int generation, int annaAt) => $$"""
        {
          "version": 1, "generation": {{generation}},
          "nodes": [
            { "node": "h1", "vtep": "{{Lab.Hosts[0].Underlay}}", "vnis": [ {{Vni}} ], "stations": [
              {{(annaAt == 1 ? AnnaText(generation) : "")}}
            ] },
            { "node": "h2", "vtep": "{{Lab.Hosts[1].Underlay}}", "vnis": [ {{Vni}} ], "stations": [
              {{(annaAt == 2 ? AnnaText(generation) : "")}}
            ] }
          ]
        }
        """;

    private static string AnnaText(int generation) => $$"""{ "vni": {{Vni}}, "mac": "{{Anna}}", "seq": {{generation}} }""";

    // Owned before the VTEPs, hence gone after them: without its file a VTEP would complain.
    private sealed class TemporaryFolder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("vtep-file-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
