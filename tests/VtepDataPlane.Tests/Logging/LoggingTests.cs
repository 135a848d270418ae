// What every log entry keeps to: events with ids of their own, a limit for each, and no control character in what comes from outside.

using System.Reflection;
using System.Text;
using CsCheck;
using Microsoft.Extensions.Logging;
using NUnit.Framework;
using VtepDataPlane.Daemon.Hosting;
using VtepDataPlane.Daemon.Logging;
using VtepDataPlane.Etcd;
using VtepDataPlane.Linux;
using VtepDataPlane.Tests.Discovery;
using VtepDataPlane.Tests.Program;

namespace VtepDataPlane.Tests.Logging;

#pragma warning disable CA1727, CA1873 // templates as the program's are written; the log is always on here

[TestFixture]
public sealed class LoggingTests
{
    // Surrogates that stand alone too, and often what must not come through.
    private static readonly Gen<string> s_text = Gen.OneOf(
        Gen.Char, Gen.Char['\0', '\u00a0'], Gen.Char['\u2000', '\u206f'], Gen.Char['\ud800', '\udfff'], Gen.Const('\u001b'), Gen.Const('\ufeff')).Array[0, 400].Select(chars => new string(chars));

    [Test]
    public void Escaped_HasNoControlAndNoDirection_WhateverTheText() => s_text.Sample(text =>
    {
        Assert.That(VtepConfigRules.Escape(text).Where(IsHarmful), Is.Empty);
        Assert.That(VtepConfigRules.Quote(text).Where(IsHarmful), Is.Empty);
        string cut = VtepConfigRules.Escape(text, 256);
        Assert.That(cut.Where(IsHarmful), Is.Empty);
        Assert.That(cut, Has.Length.LessThanOrEqualTo(256));
        string whole = VtepConfigRules.Escape(text);
        Assert.That(whole.Length <= 256 ? cut == whole : cut.EndsWith("...", StringComparison.Ordinal) && whole.StartsWith(cut[..^3], StringComparison.Ordinal));
        Assert.That(Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(cut)), Is.EqualTo(cut), "no half of a pair");
    });

    [Test]
    public void Message_HasNoControlAndNoDirection_WhateverItsValues() => s_text.Sample(text =>
    {
        var log = new MessageLogger();
        log.NotReloaded(text);
        log.Suppressed(LogLevel.Error, 3, text);
        log.LogError(new InvalidOperationException(), "{a} and {{b}} {c:x} {d,3} {e}", text, 255, null, new[] { text });
        foreach (string message in log.Messages)
            Assert.That(message.Where(IsHarmful), Is.Empty);
    });

    [Test]
    public void Message_IsTheTemplateFilledIn()
    {
        var log = new MessageLogger();
        log.LogError("{a} and {{b}} {c:x} {d,3} {e}", "1", 255, null, new[] { "x", "y" });
        log.Log(LogLevel.Error, default, "no template\n", null, (state, _) => state);
        Assert.That(log.Messages, Is.EqualTo(new[] { "1 and {b} ff (null) x, y", "no template\\u000a" }));
    }

    [Test]
    public void EventIds_AreUniqueInTheProgram_OfThreeDigits_AndInTheManual()
    {
        Assembly[] program = [typeof(Vtep).Assembly, typeof(LinuxVtep).Assembly, typeof(EtcdOptions).Assembly, typeof(DaemonHost).Assembly];
        (string Name, LoggerMessageAttribute Event)[] events = [.. program.SelectMany(assembly => assembly.GetTypes())
            .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            .Select(method => (method.Name, Event: method.GetCustomAttribute<LoggerMessageAttribute>()!)).Where(method => method.Event is not null)];
        Assert.That(events, Has.Length.GreaterThan(20));
        Assert.That(events.Select(one => one.Event.EventId), Is.Unique);
        Assert.That(events.Select(one => one.Name), Is.Unique);
        Assert.That(events.Select(one => one.Event.EventId), Is.All.InRange(100, 999));
        string manual = ManPageTests.Page("vtep.8");
        foreach ((string name, LoggerMessageAttribute attribute) in events)
            Assert.That(manual, Does.Contain($".B {attribute.EventId} {name} ("), "the manual lists it");
    }

    [Test]
    public void AnEvent_IsLimited_AndWhatWasSuppressedIsTold()
    {
        var time = new ManualTime();
        var list = new ListLogger();
        using var factory = new LimitedLoggerFactory(LoggerFactory.Create(builder => builder.AddProvider(list).SetMinimumLevel(LogLevel.Trace)), time);
        ILogger log = factory.CreateLogger("a");
        for (int i = 0; i < 250; i++)
            log.NotReloaded("no");
        log.Stopping();
        Assert.That(list.Lines, Has.Count.EqualTo(101), "a burst of one event, and another event");
        time.Advance(999);
        Assert.That(list.Lines, Has.Count.EqualTo(101));
        time.Advance(1);
        Assert.That(list.Lines[^1], Is.EqualTo("Error 110 Suppressed 150 more of NotReloaded"));

        for (int i = 0; i < 20; i++)
            log.NotReloaded("again");
        Assert.That(list.Lines, Has.Count.EqualTo(112), "ten a second");
        factory.Dispose();
        Assert.That(list.Lines[^1], Is.EqualTo("Error 110 Suppressed 10 more of NotReloaded"));
        Assert.That(time.Timers, Is.Zero);
    }

    [Test]
    public void AStormThatGoesOn_IsToldEachSecond()
    {
        var time = new ManualTime();
        var list = new ListLogger();
        using var factory = new LimitedLoggerFactory(LoggerFactory.Create(builder => builder.AddProvider(list)), time);
        ILogger log = factory.CreateLogger("a");
        for (int i = 0; i < 10_000; i++)
        {
            log.NotReloaded("no");
            time.Advance(1);
        }

        Assert.That(list.Lines.Count(line => line.Contains("no", StringComparison.Ordinal)), Is.InRange(195, 205), "100 at once and 10 a second");
        Assert.That(list.Lines.Count(line => line.Contains("Suppressed", StringComparison.Ordinal)), Is.InRange(8, 11));
    }

    // C0, C1, DEL, the bidirectional controls, and what ends a line.
    private static bool IsHarmful(char c) =>
        char.IsControl(c) || c is '\u061c' or '\u200e' or '\u200f' or (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069') or '\u2028' or '\u2029';

    private sealed class MessageLogger : ILogger
    {
        public List<string> Messages { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Messages.Add(LogText.Message(state, formatter, exception));
    }
}
