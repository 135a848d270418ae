// The words of settings that are a choice, each list in one place: read by the binder, written by the writer, compared with the schema.

using VtepDataPlane.Discovery;
using VtepDataPlane.Forwarding;

namespace VtepDataPlane.Daemon.Configuration;

/// <summary>The words of the configuration file, with what they mean.</summary>
internal static class ConfigWords
{
    /// <summary>For a TTL or DSCP: as the inner header says.</summary>
    public const string Inherit = "inherit";

    public static readonly (string Word, DontFragmentPolicy Value)[] DontFragment =
        [("set", DontFragmentPolicy.Set), ("unset", DontFragmentPolicy.Unset), ("inherit", DontFragmentPolicy.Inherit)];

    public static readonly (string Word, EcnPolicy Value)[] Ecn = [("linux", EcnPolicy.Linux), ("rfc6040", EcnPolicy.Rfc6040)];

    public static readonly (string Word, ReservedBitsPolicy Value)[] ReservedBits = [("rfc", ReservedBitsPolicy.Rfc), ("linux", ReservedBitsPolicy.Linux)];

    public static readonly (string Word, InnerVlanPolicy Value)[] InnerVlan = [("drop", InnerVlanPolicy.Drop), ("pass", InnerVlanPolicy.Pass)];

    public static readonly (string Word, ControllerMode Value)[] Mode = [("watch", ControllerMode.Watch), ("lookup", ControllerMode.Lookup)];

    /// <summary>The word for a value.</summary>
    public static string Of<T>((string Word, T Value)[] words, T value)
        where T : struct, Enum => words.First(word => EqualityComparer<T>.Default.Equals(word.Value, value)).Word;
}
