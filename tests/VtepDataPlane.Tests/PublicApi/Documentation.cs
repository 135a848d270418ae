// The XML documentation of an assembly, held against its public members. The compiler already asks for a comment on each (CS1591); asked here is
// what it doesn't look at:
//
//   1. every member has a summary with words in it, or inherits one;
//   2. every parameter is spoken of: <param>, or <paramref> in the text; a CancellationToken says itself what it is;
//   3. every class whose instances change, and every interface, says from which threads it may be used. Values needn't: they belong to who has them;
//      nor static classes, nor classes all of whose fields are read-only;
//   4. what is on the wire names its source: an RFC, IEEE 802 or IANA.
//
// Not asked of what needs no words: what a record, a delegate or an enum has by itself, Equals and operators.

using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace VtepDataPlane.Tests.PublicApi;

/// <summary>The comments of one assembly, and what they lack.</summary>
internal sealed partial class Documentation(Assembly assembly, XDocument xml)
{
    private const BindingFlags Own = BindingFlags.DeclaredOnly | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static;

    private readonly Dictionary<string, XElement> _comments = xml.Descendants("member").ToDictionary(member => member.Attribute("name")!.Value);

    /// <summary>A sentence for each thing that is missing.</summary>
    public IEnumerable<string> Gaps() => assembly.GetExportedTypes().SelectMany(type => GapsOf(type).Concat(Members(type).SelectMany(GapsOf)));

    private IEnumerable<string> GapsOf(Type type)
    {
        if (type.Name.StartsWith('<'))
            yield break; // an extension block, as the compiler names it: its members have comments, itself it has none

        XElement? comment = CommentOf($"T:{NameOf(type)}");
        string text = TextOf(comment);
        if (!HasWords(comment))
            yield return $"{type} has no summary";
        if (Changes(type) && !Threads().IsMatch(text))
            yield return $"{type} doesn't say from which threads it may be used, nor that it is immutable";
        if (type is { IsNested: false, Namespace: "VtepDataPlane.Wire" } && !Sources().IsMatch(text))
            yield return $"{type} names no source: an RFC, IEEE 802 or IANA";
    }

    private IEnumerable<string> GapsOf(MemberInfo member)
    {
        XElement? comment = CommentOf(KeyOf(member));
        string name = $"{member.DeclaringType}.{member.Name}";
        if (comment?.Element("inheritdoc") is not null)
            yield break;
        if (!HasWords(comment))
            yield return $"{name} has no summary";
        foreach (ParameterInfo parameter in Parameters(member))
        {
            if (parameter.ParameterType != typeof(CancellationToken) && !Speaks(comment, parameter.Name!))
                yield return $"{name} doesn't speak of its parameter {parameter.Name}";
        }
    }

    // A record's positional parameters stand at the type; its primary constructor and Deconstruct have no comments of their own.
    private static IEnumerable<MemberInfo> Members(Type type) => type.IsEnum || typeof(Delegate).IsAssignableFrom(type)
        ? type.GetFields(BindingFlags.Public | BindingFlags.Static)
        : type.GetMembers(Own).Where(member => IsVisible(member) && !IsMade(member));

    private static bool IsVisible(MemberInfo member) => member switch
    {
        MethodBase method => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly,
        FieldInfo field => field.IsPublic || field.IsFamily,
        PropertyInfo property => property.GetAccessors(nonPublic: true).Any(IsVisible),
        _ => false,
    };

    private static bool IsMade(MemberInfo member) => member switch
    {
        MethodInfo { IsSpecialName: true } => true, // accessors, operators
        { Name: "Equals" or "GetHashCode" or "ToString" or "CompareTo" or "Deconstruct" or "PrintMembers" } => true,
        PropertyInfo { Name: "EqualityContract" } => true,
        PropertyInfo property => IsPositional(property.DeclaringType!, property.Name),
        ConstructorInfo constructor => IsMade(constructor),
        _ => member.GetCustomAttribute<CompilerGeneratedAttribute>() is not null,
    };

    private static bool IsMade(ConstructorInfo constructor)
    {
        Type type = constructor.DeclaringType!;
        ParameterInfo[] parameters = constructor.GetParameters();
        bool copies = parameters.Length == 1 && parameters[0].ParameterType == type;
        return copies || constructor.GetCustomAttribute<CompilerGeneratedAttribute>() is not null || parameters.Length == 0
            || IsRecord(type) && Array.TrueForAll(parameters, parameter => type.GetProperty(parameter.Name!) is not null);
    }

    private static bool IsPositional(Type type, string name) =>
        IsRecord(type) && type.GetConstructors(Own).Any(constructor => constructor.GetParameters().Any(parameter => parameter.Name == name));

    private static bool IsRecord(Type type) => type.GetMethod("PrintMembers", Own) is not null;

    private static ParameterInfo[] Parameters(MemberInfo member) => member switch
    {
        MethodBase method => method.GetParameters(),
        PropertyInfo property => property.GetIndexParameters(),
        _ => [],
    };

    private static bool Changes(Type type) => !type.IsValueType && !typeof(Delegate).IsAssignableFrom(type) && !(type.IsAbstract && type.IsSealed)
        && !type.IsNested && (type.IsInterface || type.GetFields(Own).Any(field => field is { IsStatic: false, IsInitOnly: false } && !IsInit(field)));

    // The field behind { get; init; } isn't marked read-only.
    private static bool IsInit(FieldInfo field) => field.Name.Split('<', '>') is [_, { Length: > 0 } name, "k__BackingField"]
        && field.DeclaringType!.GetProperty(name, Own)?.SetMethod is var setter
        && (setter is null || setter.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)));

    private XElement? CommentOf(string key) => _comments.GetValueOrDefault(key);

    private static bool HasWords(XElement? comment) => comment?.Element("inheritdoc") is not null
        || comment?.Element("summary") is { } summary && (summary.HasElements || TextOf(summary).Trim().Length > 3);

    private static string TextOf(XElement? element) => element?.Value ?? "";

    private static bool Speaks(XElement? comment, string parameter) => comment is not null
        && comment.Descendants().Any(tag => tag.Name.LocalName is "param" or "paramref" && tag.Attribute("name")?.Value == parameter);

    private string KeyOf(MemberInfo member)
    {
        char kind = member switch { FieldInfo => 'F', PropertyInfo => 'P', _ => 'M' };
        string start = $"{kind}:{NameOf(member.DeclaringType!)}.{member.Name.Replace('.', '#')}";
        if (member is MethodInfo { IsGenericMethod: true } generic)
            start += $"``{generic.GetGenericArguments().Length}";
        ParameterInfo[] parameters = Parameters(member);
        return parameters.Length == 0 ? start : $"{start}({string.Join(',', parameters.Select(parameter => NameOf(parameter.ParameterType)))})";
    }

    private static string NameOf(Type type)
    {
        if (type.IsByRef)
            return NameOf(type.GetElementType()!) + "@";
        if (type.IsArray)
            return NameOf(type.GetElementType()!) + "[]";
        if (type is { IsGenericType: true, IsGenericTypeDefinition: false })
            return $"{NameOf(type.GetGenericTypeDefinition()).Split('`')[0]}{{{string.Join(',', type.GetGenericArguments().Select(NameOf))}}}";
        if (type.IsGenericParameter) // a method's own are ``0, ``1, ...; its type's `0, `1, ...
            return (type.DeclaringMethod is null ? "`" : "``") + type.GenericParameterPosition;
        return type.FullName!.Replace('+', '.');
    }

    [GeneratedRegex("thread|immutable|control loop|one at a time", RegexOptions.IgnoreCase)]
    private static partial Regex Threads();

    [GeneratedRegex("RFC|IEEE|IANA")]
    private static partial Regex Sources();
}
