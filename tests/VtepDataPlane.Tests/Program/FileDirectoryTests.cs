// A directory in a file, followed over every way in which files change. Events are waited for; what must not be told is shown by what is
// told next.

using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;
using VtepDataPlane.Daemon.Controllers;
using VtepDataPlane.Discovery;
using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Program;

[TestFixture]
public sealed class FileDirectoryTests
{
    private static readonly DirectoryStatus s_connected = new(DirectoryState.Connected);

    [Test]
    public async Task File_IsRead_AndAgainWhenItIsWritten()
    {
        await using var run = new Run(folder => Write(folder.File("d.json"), 1));

        Assert.That(await run.NextAsync(), Is.EqualTo("1 start"));
        Assert.That(await run.NextAsync(), Is.EqualTo(s_connected.ToString()));
        Write(run.Folder.File("d.json"), 2);
        Assert.That(await run.NextAsync(), Is.EqualTo("2 changed"));
    }

    [Test]
    public async Task FileThatIsRenamedOver_IsReadAgain()
    {
        await using var run = await Run.StartedAsync(folder => Write(folder.File("d.json"), 1));

        Write(run.Folder.File("d.json.new"), 2);
        File.Move(run.Folder.File("d.json.new"), run.Folder.File("d.json"), overwrite: true);

        Assert.That(await run.NextAsync(), Is.EqualTo("2 changed"));
    }

    [Test]
    public async Task LinkThatIsSwapped_IsFollowed()
    {
        await using var run = await Run.StartedAsync(folder =>
        {
            Write(folder.File("one/d.json"), 1);
            Write(folder.File("two/d.json"), 2);
            File.CreateSymbolicLink(folder.File("d.json"), "one/d.json");
        });

        SwapLink(run.Folder, "d.json", "two/d.json");

        Assert.That(await run.NextAsync(), Is.EqualTo("2 changed"));
        Write(run.Folder.File("two/d.json"), 3);
        Assert.That(await run.NextAsync(), Is.EqualTo("3 changed"), "what is watched now is the link's new target");
    }

    [Test]
    public async Task DirectoryLinkThatIsSwapped_AsAConfigMapDoes_IsFollowed()
    {
        await using var run = await Run.StartedAsync(folder =>
        {
            Write(folder.File("..one/d.json"), 1);
            Write(folder.File("..two/d.json"), 2);
            File.CreateSymbolicLink(folder.File("..data"), "..one");
            File.CreateSymbolicLink(folder.File("d.json"), "..data/d.json");
        });

        SwapLink(run.Folder, "..data", "..two");

        Assert.That(await run.NextAsync(), Is.EqualTo("2 changed"));
    }

    [Test]
    public async Task FileThatIsMissing_IsReadWhenItAppears()
    {
        await using var run = new Run(_ => { }, "deep/down/d.json");
        string path = run.Folder.File("deep/down/d.json");

        Assert.That(await run.NextAsync(), Is.EqualTo(new DirectoryStatus(DirectoryState.Degraded,
            $"There is no file {path}; put it there, it is read as soon as it appears. Nothing is known of other VTEPs until then.").ToString()));
        Write(path, 1);
        Assert.That(await run.NextAsync(), Is.EqualTo("1 start"));
        Assert.That(await run.NextAsync(), Is.EqualTo(s_connected.ToString()));
    }

    [Test]
    public async Task FileWithMistakes_ChangesNothing_AndTheFirstOnesAreTold()
    {
        await using var run = await Run.StartedAsync(folder => Write(folder.File("d.json"), 1));
        string path = run.Folder.File("d.json");

        await File.WriteAllTextAsync(path, """{ "version": 1, "nodes": [ 1, 2, 3, 4, 5 ] }""");
        string[] mistakes = [.. new[] { 28, 31, 34 }.Select((column, i) =>
            $$"""{{path}}:1:{{column}}: $.nodes[{{i}}]: must be an object, not a number; write { "node": ... }""")];

        Assert.That(await run.NextAsync(), Is.EqualTo(new DirectoryStatus(DirectoryState.Degraded,
            $"There are 5 mistakes in {path}: {string.Join(" | ", mistakes)} | and 2 more. What it said before stays in force until then.").ToString()));
        Assert.That((await run.Directory.LookupAsync(new LookupKey(new Vni(100), new MacAddress(0x02005e100001)), default)).Outcome, Is.EqualTo(LookupOutcome.Found));
        Assert.That(await run.Directory.ReadAsync(default), Is.Null);
        Write(path, 1);
        Assert.That(await run.NextAsync(), Is.EqualTo(s_connected.ToString()), "it says what it said before: no snapshot");
    }

    [Test]
    public async Task FileThatEverybodyMayWrite_IsRefused()
    {
        await using var run = new Run(folder => File.SetUnixFileMode(Write(folder.File("d.json"), 1), (UnixFileMode)0b110_110_110));
        string path = run.Folder.File("d.json");

        Assert.That(await run.NextAsync(), Is.EqualTo(new DirectoryStatus(DirectoryState.Refused,
            $"Everybody may write to {path}, so it isn't believed; run chmod o-w on it. Nothing is known of other VTEPs until then.").ToString()));
        File.SetUnixFileMode(path, (UnixFileMode)0b110_110_100);
        Assert.That(await run.NextAsync(), Is.EqualTo("1 start"));
    }

    [Test]
    public async Task Require_AsksForASnapshot_OfWhatIsWanted()
    {
        await using var run = await Run.StartedAsync(folder => Write(folder.File("d.json"), 1));

        run.Directory.Require(new DirectoryScope(Stations: false));

        Assert.That(await run.NextSnapshotAsync(), Is.EqualTo(new[] { RecordKind.Vtep, RecordKind.Flood }));
        run.Directory.Require(new DirectoryScope(Stations: true));
        Assert.That(await run.NextSnapshotAsync(), Is.EqualTo(new[] { RecordKind.Vtep, RecordKind.Flood, RecordKind.Mac, RecordKind.Neighbor }));
    }

    [Test]
    public async Task FileWithoutGeneration_IsCounted()
    {
        await using var run = await Run.StartedAsync(folder => File.WriteAllText(folder.File("d.json"), """{ "version": 1, "nodes": [] }"""));

        await File.WriteAllTextAsync(run.Folder.File("d.json"), """{ "version": 1, "nodes": [ { "node": "h2", "vtep": "198.18.0.2" } ] }""");

        Assert.That(await run.NextAsync(), Is.EqualTo("2 changed"));
    }

    [Test]
    public async Task Questions_AreAnsweredFromTheFile_AndNothingIsWritten()
    {
        await using var run = new Run(folder => Write(folder.File("d.json"), 1));
        var station = new LookupKey(new Vni(100), new MacAddress(0x02005e100001));
        var address = new LookupKey(new Vni(100), default, InetAddress.Parse("198.19.0.1"));
        string path = run.Folder.File("d.json");

        Assert.That(await run.Directory.LookupAsync(station, default), Is.EqualTo(LookupResult.NoAnswer), "it wasn't read yet");
        await run.NextAsync();
        Assert.That((await run.Directory.LookupAsync(station, default)).Records.Single().Owner, Is.EqualTo("h2"));
        Assert.That((await run.Directory.LookupAsync(address, default)).Records.Single().Owner, Is.EqualTo("h2"));
        Assert.That(await run.Directory.LookupAsync(station with { Vni = new Vni(7) }, default), Is.EqualTo(LookupResult.NotFound));
        Assert.That((await run.Directory.ReadAsync(default))!.Records, Has.Count.EqualTo(4));
        Assert.That(await run.Directory.WriteAsync(default, default), Is.EqualTo(
            $"{path} is a file, which is read and never written by vtep; edit it, it is read again at once."));
        Assert.That(await run.Directory.ReleaseAsync(default), Is.EqualTo(
            $"{path} is a file, to which nothing was published; take this node out of it to withdraw it."));
        Assert.That(run.Directory.Capabilities, Is.EqualTo(DirectoryCapabilities.None));
    }

    [Test]
    public void WayOfLinksWithoutEnd_Ends()
    {
        using var folder = new TemporaryFolder();
        File.CreateSymbolicLink(folder.File("a"), "b");
        File.CreateSymbolicLink(folder.File("b"), "a");

        Assert.That(FileWatch.DirectoriesOnTheWay(folder.File("a")), Is.EqualTo(new[] { folder.Path }));
    }

    private static string Write(string path, int generation)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, $$"""
            { "version": 1, "generation": {{generation}}, "nodes": [
              { "node": "h2", "vtep": "198.18.0.2", "vnis": [ 100 ], "stations": [ { "vni": 100, "mac": "02:00:5e:10:00:01", "ips": [ "198.19.0.1" ] } ] } ] }
            """);
        return path;
    }

    private static void SwapLink(TemporaryFolder folder, string link, string target)
    {
        File.CreateSymbolicLink(folder.File("..new"), target);
        // File.Move wouldn't rename a link to a directory.
        using Process move = Process.Start("mv", ["-T", folder.File("..new"), folder.File(link)]);
        move.WaitForExit();
        Assert.That(move.ExitCode, Is.Zero);
    }

    // A directory that is being run, and its events one by one.
    private sealed class Run : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly IAsyncEnumerator<DirectoryEvent> _events;

        public Run(Action<TemporaryFolder> prepare, string name = "d.json")
        {
            prepare(Folder);
            Directory = new FileDirectory(Folder.File(name), 4789, NullLogger.Instance, TimeProvider.System);
            _events = Directory.RunAsync(new LocalRecords(), _stop.Token).GetAsyncEnumerator();
        }

        public TemporaryFolder Folder { get; } = new();

        public FileDirectory Directory { get; }

        public static async Task<Run> StartedAsync(Action<TemporaryFolder> prepare)
        {
            var run = new Run(prepare);
            await run.NextAsync();
            await run.NextAsync();
            return run;
        }

        public async Task<string> NextAsync() => await EventAsync() is DirectorySnapshot snapshot ? $"{snapshot.Revision} {snapshot.Cause}"
            : _events.Current.ToString();

        public async Task<RecordKind[]> NextSnapshotAsync() =>
            [.. ((DirectorySnapshot)await EventAsync()).Records.Select(record => record.Key.Kind)];

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            while (await _events.MoveNextAsync())
                ;
            await _events.DisposeAsync();
            await Directory.DisposeAsync();
            _stop.Dispose();
            Folder.Dispose();
        }

        private async Task<DirectoryEvent> EventAsync()
        {
            Assert.That(await _events.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20)));
            return _events.Current;
        }
    }
}
