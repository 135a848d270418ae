// The end-to-end bench of VtepDataPlane, and the programs it starts inside its namespaces:
//
//   run         the bench: scenarios, contenders, reports (bench/run.sh calls it)
//   control     the bench of controllers, beside a real etcd (bench/run.sh calls it)
//   operate     the bench of what an operator waits for (bench/run.sh calls it)
//   compare     two builds of the data plane in one process (bench/run.sh calls it)
//   relay       the contenders "ceiling" and "relay"
//   frames      offers frames to a device             datagrams   sends a contender's datagrams
//   echo, ask   server and client of request and response
//
// All but `run`, `control`, `operate`, `compare` and `ask` run until they are killed.

using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;
using VtepDataPlane.EndToEnd;
using VtepDataPlane.EndToEnd.Compare;
using VtepDataPlane.EndToEnd.Control;
using VtepDataPlane.EndToEnd.Generators;
using VtepDataPlane.EndToEnd.Lab;
using VtepDataPlane.EndToEnd.Measurements;
using VtepDataPlane.EndToEnd.Operation;
using VtepDataPlane.EndToEnd.Relay;
using VtepDataPlane.Wire;

var root = new RootCommand("The end-to-end bench of VtepDataPlane.") { Run(), Control(), Operate(), Compare(), Relay(), Frames(), Datagrams(), Echo(), Ask() };
try
{
    return root.Parse(args).Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (BenchException e)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}

static Command Run()
{
    var only = new Option<string?>("--only") { Description = "Scenarios: names or beginnings of names, comma-separated." };
    var contenders = new Option<string?>("--contenders") { Description = "Contenders, comma-separated." };
    var seconds = new Option<double>("--seconds") { Description = "Of each measurement.", DefaultValueFactory = _ => 3 };
    var rounds = new Option<int>("--rounds") { Description = "How often each is measured.", DefaultValueFactory = _ => 3 };
    var patience = new Option<double>("--patience") { Description = "Seconds each measurement waits at most for a quiet machine." };
    var file = new Option<FileInfo>("--out") { Description = "The JSON report; .md and .svg lie beside it.", Required = true };
    var aotProblem = new Option<string?>("--aot-problem") { Description = "Why there is no natively compiled program." };
    var command = new Command("run", "Run the bench, as root.") { only, contenders, seconds, rounds, patience, file, aotProblem };
    seconds.Validators.Add(result => Refuse(result, result.GetValueOrDefault<double>() > 0));
    rounds.Validators.Add(result => Refuse(result, result.GetValueOrDefault<int>() > 0));
    command.SetAction(parsed => new BenchRun(new BenchOptions(
        parsed.GetValue(only), parsed.GetValue(contenders), parsed.GetValue(seconds), parsed.GetValue(rounds), parsed.GetValue(patience),
        parsed.GetRequiredValue(file), parsed.GetValue(aotProblem))).Run() ? 0 : 1);
    return command;
}

static Command Control()
{
    const int LongestChurn = 120; // at 1,000 stations a second; more have no room in the VTEP's table
    var only = new Option<string?>("--only") { Description = "Measurements: names or beginnings of names, comma-separated." };
    var seconds = new Option<int>("--seconds") { Description = "Of churn.", DefaultValueFactory = _ => 60 };
    var file = new Option<FileInfo>("--out") { Description = "The JSON report; .md lies beside it.", Required = true };
    var command = new Command("control", "Run the bench of controllers, as root.") { only, seconds, file };
    seconds.Validators.Add(result =>
    {
        if (result.GetValueOrDefault<int>() is < 1 or > LongestChurn)
            result.AddError($"--seconds must be 1 to {LongestChurn}.");
    });
    command.SetAction(parsed =>
    {
        int churn = parsed.GetValue(seconds);
        Measurement[] all = [new TableMeasurement(), new MoveMeasurement(), new ChurnMeasurement(churn), new LookupMeasurement()];
        return new MeasurementRun(new MeasurementOptions(parsed.GetValue(only), churn, parsed.GetRequiredValue(file)), all).Run() ? 0 : 1;
    });
    return command;
}

static Command Operate()
{
    var only = new Option<string?>("--only") { Description = "Measurements: names or beginnings of names, comma-separated." };
    var seconds = new Option<int>("--seconds") { Description = "Of TCP beside calls, and of all windows beside scrapes and the dashboard.", DefaultValueFactory = _ => 60 };
    var file = new Option<FileInfo>("--out") { Description = "The JSON report; .md lies beside it.", Required = true };
    var command = new Command("operate", "Run the bench of what an operator waits for, as root.") { only, seconds, file };
    seconds.Validators.Add(result => Refuse(result, result.GetValueOrDefault<int>() > 0));
    command.SetAction(parsed =>
    {
        int span = parsed.GetValue(seconds);
        Measurement[] all = [new SizeMeasurement(), new StartMeasurement(), new CallMeasurement(span), new ScrapeMeasurement(span), new DashboardMeasurement(span), new CaptureMeasurement(span)];
        return new MeasurementRun(new MeasurementOptions(parsed.GetValue(only), span, parsed.GetRequiredValue(file)), all).Run() ? 0 : 1;
    });
    return command;
}

static Command Compare()
{
    var before = new Argument<string>("before") { Description = "The folder of the vtep.dll to compare with." };
    var after = new Argument<string>("after") { Description = "The folder of the vtep.dll that is judged." };
    var rounds = new Option<int>("--rounds") { Description = "How often all is measured.", DefaultValueFactory = _ => 5 };
    var command = new Command("compare", "Compare what a frame costs in two builds.") { before, after, rounds };
    rounds.Validators.Add(result => Refuse(result, result.GetValueOrDefault<int>() > 0));
    command.SetAction(parsed => new BuildComparison(
        new BuildUnderTest(parsed.GetRequiredValue(before)), new BuildUnderTest(parsed.GetRequiredValue(after)), parsed.GetValue(rounds)).Run(Console.Out));
    return command;
}

static void Refuse(OptionResult result, bool isGood)
{
    if (!isGood)
        result.AddError($"{result.Option.Name} must be greater than 0.");
}

static Command Relay()
{
    var mode = new Option<RelayMode>("--mode") { Required = true };
    var tap = new Option<string>("--tap") { Required = true };
    var local = new Option<string>("--local") { Required = true };
    var peers = new Option<string[]>("--peer") { Required = true };
    var segmentSize = new Option<int>("--segment-size") { Required = true };
    var command = new Command("relay", "Carry frames between a TAP and UDP, without any work.") { mode, tap, local, peers, segmentSize };
    command.SetAction(parsed => RelayLoop.Open(new RelayOptions(
        parsed.GetValue(mode), parsed.GetRequiredValue(tap), Endpoint(parsed.GetRequiredValue(local)),
        [.. parsed.GetRequiredValue(peers).Select(Endpoint)], parsed.GetValue(segmentSize))).Run());
    return command;
}

static Command Frames()
{
    var device = new Option<string>("--device") { Required = true };
    var broadcast = new Option<bool>("--broadcast");
    (Option<int> size, Option<string> source, Option<string> destination) = FrameOptions();
    var command = new Command("frames", "Offer frames to a device.") { device, broadcast, size, source, destination };
    command.SetAction(parsed =>
    {
        FrameAddresses addresses = Addresses(parsed.GetRequiredValue(source), parsed.GetRequiredValue(destination), "198.19.0.1", "198.19.0.2");
        int bytes = parsed.GetValue(size);
        FrameGenerator.Run(parsed.GetRequiredValue(device),
            parsed.GetValue(broadcast) ? [InnerFrames.Broadcast(addresses, bytes)] : InnerFrames.Udp(addresses, bytes));
    });
    return command;
}

static Command Datagrams()
{
    var format = new Option<DatagramFormat>("--format") { Required = true };
    var from = new Option<string>("--from") { Required = true };
    var to = new Option<string>("--to") { Required = true };
    (Option<int> size, Option<string> source, Option<string> destination) = FrameOptions();
    var command = new Command("datagrams", "Send a contender's datagrams.") { format, from, to, size, source, destination };
    command.SetAction(parsed =>
    {
        FrameAddresses addresses = Addresses(parsed.GetRequiredValue(source), parsed.GetRequiredValue(destination), "198.19.0.2", "198.19.0.1");
        DatagramGenerator.Run(IPAddress.Parse(parsed.GetRequiredValue(from)), Endpoint(parsed.GetRequiredValue(to)),
            parsed.GetValue(format), new Vni(Segment.Vni), InnerFrames.Udp(addresses, parsed.GetValue(size)));
    });
    return command;
}

static Command Echo()
{
    var address = new Option<string>("--address") { Required = true };
    var command = new Command("echo", "Answer requests.") { address };
    command.SetAction(parsed => RequestResponse.Serve(IPAddress.Parse(parsed.GetRequiredValue(address))));
    return command;
}

static Command Ask()
{
    var address = new Option<string>("--address") { Required = true };
    var warmup = new Option<double>("--warmup") { Required = true };
    var seconds = new Option<double>("--seconds") { Required = true };
    var command = new Command("ask", "Ask and time the answers.") { address, warmup, seconds };
    command.SetAction(parsed => RequestResponse.Ask(
        IPAddress.Parse(parsed.GetRequiredValue(address)), parsed.GetValue(warmup), parsed.GetValue(seconds)));
    return command;
}

static (Option<int> Size, Option<string> Source, Option<string> Destination) FrameOptions() =>
    (new("--size") { Required = true }, new("--source") { Required = true }, new("--destination") { Required = true });

static FrameAddresses Addresses(string source, string destination, string sourceIp, string destinationIp) =>
    new(FrameAddresses.Mac(source), FrameAddresses.Mac(destination), IPAddress.Parse(sourceIp), IPAddress.Parse(destinationIp));

static IPEndPoint Endpoint(string address) => new(IPAddress.Parse(address), Segment.Port);
