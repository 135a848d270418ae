// The comments on the public API are part of the packages; what each must say stands at Documentation.

using System.Reflection;
using System.Xml.Linq;
using NUnit.Framework;
using VtepDataPlane.Linux;

namespace VtepDataPlane.Tests.PublicApi;

public sealed class DocumentationTests
{
    private static readonly Assembly[] s_packages = [typeof(Vtep).Assembly, typeof(LinuxVtep).Assembly];

    [TestCaseSource(nameof(s_packages))]
    public void EveryPublicMember_SaysWhatItIs_WhatItTakes_AndWhoMayCallIt(Assembly package)
    {
        var documentation = new Documentation(package, XDocument.Load(Path.ChangeExtension(package.Location, ".xml")));

        string[] gaps = [.. documentation.Gaps()];

        Assert.That(gaps, Is.Empty, $"Comments that are missing, all of them:\n{string.Join('\n', gaps)}\n");
    }
}
