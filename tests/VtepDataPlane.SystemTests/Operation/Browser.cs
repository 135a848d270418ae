// Debian's Chromium without a window, inside a host's namespace, led by Playwright. Playwright talks to it over two pipes, which 'ip netns exec' leaves
// open, so only the browser is in the namespace and sees that host's loopback. Everything is off that a browser does of its own accord on a network.
// Its folder is new and goes with it. What the page logs as an error, what it throws, and whom it asks, is kept.

using Microsoft.Playwright;
using VtepDataPlane.SystemTests.Namespaces;

namespace VtepDataPlane.SystemTests.Operation;

/// <summary>A running browser with one page.</summary>
internal sealed class Browser : IAsyncDisposable
{
    private const string Program = "/usr/bin/chromium";

    private static readonly string[] s_flags =
    [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ];

    private readonly string _folder;
    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;
    private readonly List<string> _complaints = [];
    private readonly List<string> _asked = [];

    private Browser(string folder, IPlaywright playwright, IBrowser browser, IPage page)
    {
        (_folder, _playwright, _browser, Page) = (folder, playwright, browser, page);
        page.Console += (_, message) => Keep(_complaints, message.Type == "error" ? message.Text : null);
        page.PageError += (_, error) => Keep(_complaints, error);
        page.Request += (_, request) => Keep(_asked, request.Url);
    }

    public IPage Page { get; }

    /// <summary>Addresses asked for so far.</summary>
    public IReadOnlyList<string> Asked
    {
        get
        {
            lock (_asked)
                return [.. _asked];
        }
    }

    /// <summary>Errors since the last call.</summary>
    public IReadOnlyList<string> TakeComplaints()
    {
        lock (_complaints)
        {
            string[] taken = [.. _complaints];
            _complaints.Clear();
            return taken;
        }
    }

    /// <summary>Starts one.</summary>
    public static async Task<Browser> StartAsync(NetworkNamespace place, ViewportSize size)
    {
        Requirements.Need("chromium", "ip");
        string folder = Directory.CreateTempSubdirectory("vtep-browser-").FullName, script = Path.Combine(folder, "chromium");
        await File.WriteAllTextAsync(script, $"#!/bin/sh\nexec ip netns exec {place.Name} {Program} \"$@\"\n");
        Command.Run("chmod", "0700", script).OrFail();
        IPlaywright playwright = await Playwright.CreateAsync();
        IBrowser browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = script, Headless = true, Args = s_flags, Timeout = 20_000 });
        IPage page = await browser.NewPageAsync(new BrowserNewPageOptions { ViewportSize = size, ReducedMotion = ReducedMotion.Reduce });
        page.SetDefaultTimeout(10_000);
        return new Browser(folder, playwright, browser, page);
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.CloseAsync();
        _playwright.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static void Keep(List<string> kept, string? text)
    {
        lock (kept)
        {
            if (text is not null)
                kept.Add(text);
        }
    }
}
