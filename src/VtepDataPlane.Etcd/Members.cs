// Which members an object may have, and which it has had. Control plane; on the stack.

using System.Text.Json;

namespace VtepDataPlane.Etcd;

/// <summary>An object's members: known ones only, each once.</summary>
internal struct Members(string[] names)
{
    private uint _seen;

    /// <summary>Which member the reader stands before.</summary>
    public int IndexOf(ref Utf8JsonReader json)
    {
        int index = 0;
        while (index < names.Length && !json.ValueTextEquals(names[index]))
            index++;
        if (index == names.Length)
            throw new WrongValueException($"it has a member that isn't known here; known are {string.Join(", ", names)}");
        if ((_seen & (1u << index)) != 0)
            throw new WrongValueException($"it has '{names[index]}' twice");
        _seen |= 1u << index;
        return index;
    }

    /// <summary>The first so many must have been there.</summary>
    public readonly void Require(int first)
    {
        for (int index = 0; index < first; index++)
        {
            if ((_seen & (1u << index)) == 0)
                throw new WrongValueException($"it has no '{names[index]}'");
        }
    }
}
