// Three VTEPs in one process, no root, no socket: what becomes of the first frames on a segment.
//
//   dotnet run --project samples/EmbeddedSwitch
//
//      host a            host b            host c          a port in memory each (MemoryPort)
//        |                 |                 |
//   VTEP 192.0.2.1    VTEP 192.0.2.2    VTEP 192.0.2.3     InProcessVtep, VNI 100, the other two as peers
//        +-----------------+-----------------+             MemoryNetwork
//
// It prints a walk: host a asks who has host b's address, and the request is flooded; host b answers, and by then host a has been learned, so the
// answer goes one way; host a's next frame goes one way too. At the end each VTEP's FDB, and its books: every frame that came in went out or
// has a reason. The output is the same every time.

using VtepDataPlane.Samples;

await EmbeddedSwitch.RunAsync(Console.Out);
