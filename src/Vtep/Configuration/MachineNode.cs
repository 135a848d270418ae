// The node id of a machine whose configuration gives none. /etc/machine-id is unique but meant to be kept to oneself (machine-id(5)):
// what others get to see is a hash of it, made for this program alone.

using System.Security.Cryptography;
using System.Text;

namespace VtepDataPlane.Daemon.Configuration;

/// <summary>Node ids made of the machine's own.</summary>
internal static class MachineNode
{
    private const string MachineIdFile = "/etc/machine-id";

    /// <summary>This machine's; null: it has no id of its own.</summary>
    public static string? OfThisMachine()
    {
        try
        {
            string id = File.ReadAllText(MachineIdFile).Trim();
            return id.Length == 0 ? null : Of(id);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The first 16 hexadecimal digits of SHA-256 of the machine's id and the word vtep.</summary>
    public static string Of(string machineId) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(machineId + "vtep")))[..16];
}
