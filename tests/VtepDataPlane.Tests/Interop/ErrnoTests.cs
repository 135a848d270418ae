// Errors of the system in words.

using NUnit.Framework;
using Tmds.Linux;
using VtepDataPlane.Linux.Interop;

namespace VtepDataPlane.Tests.Interop;

internal sealed class ErrnoTests
{
    [Test]
    public void Describe_GivesTextAndName()
    {
        Assert.That(Errno.Describe(LibC.ENODEV), Is.EqualTo("No such device (ENODEV)"));
        Assert.That(Errno.Describe(LibC.EADDRINUSE), Is.EqualTo("Address already in use (EADDRINUSE)"));
    }

    [Test]
    public void Describe_OfANegatedErrno_IsTheSame() => Assert.That(Errno.Describe(-LibC.EPERM), Is.EqualTo("Operation not permitted (EPERM)"));

    [Test]
    public void Describe_OfARareErrno_GivesItsNumber() => Assert.That(Errno.Describe(4711), Does.EndWith("(errno 4711)"));

    [Test]
    public void Describe_OfTheLeastInteger_DoesNotThrow() => Assert.That(Errno.Describe(int.MinValue), Is.Not.Empty);
}
