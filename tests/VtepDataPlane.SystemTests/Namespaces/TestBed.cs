// The frame around every test of the program: a lab, any number of VTEPs in it, and on each one's cable a capture of all UDP it
// sends, fragments included. (The rest a host sends, neighbour discovery and port unreachables before vtep runs, is its kernel's.)
// After the test each VTEP is stopped (VtepProcess.Stop says what that checks), and what it sent is judged: no datagram with a
// fault that tshark knows of, and not one outer fragment.

using NUnit.Framework;
using NUnit.Framework.Interfaces;

namespace VtepDataPlane.SystemTests.Namespaces;

/// <summary>Base of the fixtures that run vtep.</summary>
internal abstract class TestBed
{
    private readonly List<(VtepProcess Process, Capture? Capture)> _vteps = [];
    private readonly List<IDisposable> _owned = [];
    private Lab? _lab;

    /// <summary>The lab of the running test.</summary>
    protected Lab Lab => _lab ?? throw new InvalidOperationException("The test has not made its lab yet.");

    /// <summary>A VTEP of these tests needn't have sent anything.</summary>
    protected virtual bool MayBeSilent => false;

    [TearDown]
    public void StopAndJudge()
    {
        try
        {
            if (TestContext.CurrentContext.Result.Outcome.Status == TestStatus.Failed)
                WriteLogs();
            else
                Judge();
        }
        finally
        {
            foreach (IDisposable owned in Enumerable.Reverse(_owned))
                owned.Dispose();
            _vteps.Clear();
            _owned.Clear();
            _lab = null;
        }
    }

    /// <summary>Makes the lab of this test.</summary>
    protected Lab Make(Lab lab) => _lab = Own(lab);

    /// <summary>Disposes of it after the test, in the reverse order of being owned.</summary>
    protected T Own<T>(T thing)
        where T : IDisposable
    {
        _owned.Add(thing);
        return thing;
    }

    /// <summary>Starts vtep on a host, everything it sends being captured.</summary>
    protected VtepProcess Start(LabHost host, params LabDomain[] domains) => Start(host, VtepProcess.Executable, domains);

    /// <summary>Starts another build of vtep on a host, everything it sends being captured.</summary>
    protected VtepProcess Start(LabHost host, string program, params LabDomain[] domains)
    {
        VethLink.FinishChecksumsOf(host.Link.A);
        Capture capture = Own(new Capture(host.Link.B.Namespace, host.Link.B.Device, $"src host {host.Underlay} and udp"));
        return Start(host, program, capture, domains);
    }

    /// <summary>Starts vtep on a host, its link left to offload checksums, hence without a capture.</summary>
    protected VtepProcess StartWithOffloads(LabHost host, params LabDomain[] domains) => Start(host, VtepProcess.Executable, null, domains);

    /// <summary>Ends a VTEP within the test; nothing is judged of it afterwards.</summary>
    protected void Kill(VtepProcess vtep)
    {
        _vteps.RemoveAll(running => running.Process == vtep);
        vtep.Dispose();
    }

    private VtepProcess Start(LabHost host, string program, Capture? capture, LabDomain[] domains)
    {
        VtepProcess process = Own(new VtepProcess(host, program, domains));
        _vteps.Add((process, capture));
        return process;
    }

    private void Judge()
    {
        foreach ((VtepProcess process, _) in _vteps)
            process.Stop();
        List<Dissection> sent = [.. _vteps.Select(vtep => vtep.Capture).OfType<Capture>().Select(capture => capture.Stop())];
        sent.RemoveAll(capture => capture.Packets == 0 && MayBeSilent);
        Dissection.AssertNoExpertWarnings(sent);
        sent.ForEach(capture => capture.AssertNoOuterFragments());
    }

    private void WriteLogs()
    {
        foreach ((VtepProcess process, _) in _vteps)
            TestContext.Out.WriteLine($"--- log of {process.Host.Namespace.Name}\n{process.Log}");
    }
}
