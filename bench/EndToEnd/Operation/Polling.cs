// What measurements of polling have in common: how much processor time questions take, and a load beside which somebody asks each second.

namespace VtepDataPlane.EndToEnd.Operation;

/// <summary>Asks again and again.</summary>
internal static class Polling
{
    /// <summary>Processor time a VTEP takes while something is done with it in rounds, seconds.</summary>
    /// <param name="vtep">The VTEP.</param>
    /// <param name="rounds">How often.</param>
    /// <param name="pause">Between rounds: longer than an answer is kept for those who ask again.</param>
    /// <param name="each">What is done.</param>
    public static double Spent(OperatedVtep vtep, int rounds, TimeSpan pause, Action each)
    {
        double before = vtep.ProcessorSeconds();
        for (int i = 0; i < rounds; i++)
        {
            each();
            Thread.Sleep(pause);
        }

        return vtep.ProcessorSeconds() - before;
    }

    /// <summary>Measures while <paramref name="ask"/> is called each second, with the number of the call.</summary>
    public static double Beside(Action<int> ask, Func<double> measure)
    {
        Task<double> stream = Task.Run(measure);
        for (int i = 0; !stream.Wait(TimeSpan.FromSeconds(1)); i++)
            ask(i);
        return stream.GetAwaiter().GetResult();
    }

    /// <summary>Asks and gives the bytes of the answer.</summary>
    public static int Ask(HttpClient client, Uri what) => client.GetByteArrayAsync(what).GetAwaiter().GetResult().Length;
}
