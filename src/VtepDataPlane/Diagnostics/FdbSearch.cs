// A search of the FDB as somebody types it: words with blanks between them, each of which must fit an entry. A word fits
//
//   mac:5e:10     a part of the MAC, with colons or hyphens
//   vni:100       the VNI, all of it, or a part of the domain's name
//   port:tap      a part of the port's name
//   vtep:198.18   a part of the VTEP's address and port
//   kind:static   the kind, all of it
//
// and without the name of a column, any of them. Letters fit in either case. The table may have a million entries, so what is compared for each
// is numbers and a few characters; whether a word fits a VTEP is worked out once for each VTEP. Nothing is allocated for an entry.
//
// One search, one thread.

using System.Globalization;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Diagnostics;

/// <summary>Judges entries.</summary>
internal sealed class FdbSearch
{
    private const int MostWords = 8; // what nobody types is not looked for

    private readonly RemoteVteps _vteps;
    private readonly Word[] _words;

    public FdbSearch(string words, RemoteVteps vteps)
    {
        _vteps = vteps;
        _words = [.. words.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Take(MostWords).Select(word => new Word(word))];
    }

    private enum Column
    {
        Any,
        Mac,
        Vni,
        Port,
        Vtep,
        Kind,
    }

    /// <summary>The word for the kind of an entry.</summary>
    public static string KindOf(FdbTarget target) => target.Kind switch
    {
        FdbKind.LearnedLocal or FdbKind.Own => "local",
        FdbKind.LearnedRemote => "remote",
        FdbKind.DirectoryRemote or FdbKind.StickyRemote => "directory",
        _ => "static",
    };

    /// <summary>Every word fits.</summary>
    public bool Takes(BridgeDomain domain, in FdbEntry entry)
    {
        foreach (Word word in _words)
        {
            if (!Fits(word, domain, entry))
                return false;
        }

        return true;
    }

    private bool Fits(Word word, BridgeDomain domain, in FdbEntry entry) =>
        (word.Is(Column.Vni) && word.FitsDomain(domain))
        || (word.Is(Column.Mac) && word.FitsMac(entry.Mac))
        || (word.Is(Column.Port) && entry.Target.IsLocal && word.FitsPart(domain.Port(entry.Target.Id)?.Device.Name))
        || (word.Is(Column.Vtep) && entry.Target.IsRemote && word.FitsVtep(entry.Target.Id, _vteps))
        || (word.Is(Column.Kind) && word.Text.Equals(KindOf(entry.Target), StringComparison.OrdinalIgnoreCase));

    private sealed class Word
    {
        private readonly Column _column;
        private readonly string _mac;
        private readonly int _vni;
        private readonly Dictionary<int, bool> _vteps = [];

        public Word(string typed)
        {
            int colon = typed.IndexOf(':', StringComparison.Ordinal);
            _column = (colon < 0 ? "" : typed[..colon]) switch
            {
                "mac" => Column.Mac,
                "vni" => Column.Vni,
                "port" => Column.Port,
                "vtep" => Column.Vtep,
                "kind" => Column.Kind,
                _ => Column.Any,
            };
            Text = _column == Column.Any ? typed : typed[(colon + 1)..];
            _mac = Text.Replace('-', ':').ToLowerInvariant();
            _vni = int.TryParse(Text, NumberStyles.None, CultureInfo.InvariantCulture, out int vni) ? vni : -1;
        }

        public string Text { get; }

        public bool Is(Column column) => _column == Column.Any || _column == column;

        public bool FitsDomain(BridgeDomain domain) => domain.Vni.Value == _vni || FitsPart(domain.Name);

        public bool FitsPart(string? text) => text is not null && text.Contains(Text, StringComparison.OrdinalIgnoreCase);

        public bool FitsMac(MacAddress mac)
        {
            Span<char> text = stackalloc char[MacAddress.TextLength];
            mac.Write(text);
            return text.IndexOf(_mac.AsSpan()) >= 0;
        }

        public bool FitsVtep(int id, RemoteVteps vteps)
        {
            if (!_vteps.TryGetValue(id, out bool fits))
                _vteps[id] = fits = FitsPart(vteps.EndpointOf(id).ToString());
            return fits;
        }
    }
}
