// A claim for a station or an address, and what came of all of them.

using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Discovery;

/// <summary>One node says that a station or an address is behind it.</summary>
/// <param name="Owner">The node.</param>
/// <param name="Vtep">Where it is.</param>
/// <param name="Sequence">The mobility sequence.</param>
/// <param name="IsSticky">The station never moves.</param>
/// <param name="IsHeld">The store has the claim no more.</param>
/// <param name="IsOurs">It is this node's.</param>
/// <param name="Mac">The station.</param>
/// <param name="IsRouter">The station said that it is an IPv6 router.</param>
internal readonly record struct Claim(
    string Owner, VtepEndpoint Vtep, uint Sequence, bool IsSticky = false, bool IsHeld = false, bool IsOurs = false, MacAddress Mac = default,
    bool IsRouter = false);
