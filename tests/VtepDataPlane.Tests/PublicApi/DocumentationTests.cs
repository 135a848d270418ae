// The comments on the public API are part of the packages; what each must say stands at Documentation.

using System.Reflection;
using System.Xml.Linq;
using NUnit.Framework;
using VtepDataPlane.Linux;

namespace VtepDataPlane.Tests.PublicApi;

public sealed class DocumentationTests
{
    private static readonly Assembly[] s_packages = [typeof(Vtep).Assembly, typeof(LinuxVtep).Assembly];

    // Being rewritten: their comments are completed with them.
    private static readonly string[] s_unfinished =
        ["IHostNetwork", "MemoryHost", "Vtep", "MemoryNetwork", "MemoryUnderlay", "IAccessPort", "MemoryPort", "IFrameQueue", "QueueMeters", "LinuxVtep"];

    [TestCaseSource(nameof(s_packages))]
    public void EveryPublicMember_SaysWhatItIs_WhatItTakes_AndWhoMayCallIt(Assembly package)
    {
        var documentation = new Documentation(package, XDocument.Load(Path.ChangeExtension(package.Location, ".xml")));

        IEnumerable<string> gaps = documentation.Gaps().Where(gap => !gap.Split(' ')[0].Split('.').Any(s_unfinished.Contains));

        Assert.That(gaps, Is.Empty);
    }
}
