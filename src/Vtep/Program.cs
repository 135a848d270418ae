// The vtep executable: see Commands/ for what it can do. Here is what it is made of on Linux.

using Microsoft.Extensions.Logging;
using VtepDataPlane;
using VtepDataPlane.Daemon.Commands;
using VtepDataPlane.Daemon.Hosting;
using VtepDataPlane.Linux;

return await CommandTree.InvokeAsync(args, StandardOutput.Open(), Console.Error, Start);

static DataPlane Start(VtepConfig config, ILoggerFactory loggers)
{
    LinuxVtep vtep = LinuxVtep.Start(config, loggers);
    return new DataPlane(vtep.Vtep, () => vtep.NowMilliseconds, vtep.ApplyAsync, vtep.DisposeAsync) { FindStall = vtep.FindStall };
}
