// dotnet run -c Release --project bench/VtepDataPlane.Benchmarks -- --filter '*'
//
// Everything in process, on one core, without root: what the data plane itself costs, next to which stand the system calls around it.

using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Running;
using VtepDataPlane.Benchmarks;

IConfig config = DefaultConfig.Instance.AddColumn(new MppsColumn()).HideColumns(Column.Error, Column.Gen0);
BenchmarkSwitcher.FromAssembly(typeof(MppsColumn).Assembly).Run(args, config);
