// The vtep executable: see Commands/ for what it can do.

using VtepDataPlane;
using VtepDataPlane.Daemon.Commands;

return await CommandTree.InvokeAsync(args, Console.Out, Console.Error, (_, _) => throw new VtepException("."));
