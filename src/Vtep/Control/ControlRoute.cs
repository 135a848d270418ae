// A route of the control API as data: what is answered to which request, and how that is described. The endpoints are made of the
// same table as the OpenAPI document (ControlDocument), so neither knows a route the other doesn't.
//
// Before a handler runs, its query is checked against the table: a parameter that nobody knows is an error, for a filter that was
// misspelt would otherwise answer with everything.

using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using VtepDataPlane.Daemon.Configuration;

namespace VtepDataPlane.Daemon.Control;

/// <summary>A parameter of a route's query.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">What it is, as in JSON; a number is written without quotes there, and the same here.</param>
/// <param name="Description">What it means.</param>
/// <param name="Required">It must be there.</param>
internal sealed record ControlParameter(string Name, JsonTypeInfo Type, string Description, bool Required = false);

/// <summary>A route.</summary>
/// <param name="Method">GET to ask; anything else changes something.</param>
/// <param name="Path">The path; there are no parameters in it.</param>
/// <param name="Summary">What it does, as one sentence.</param>
/// <param name="Handle">Answers.</param>
internal sealed record ControlRoute(string Method, string Path, string Summary, RequestDelegate Handle)
{
    /// <summary>Where the OpenAPI document is.</summary>
    public const string DocumentPath = "/openapi.json";

    /// <summary>Parameters of the query.</summary>
    public IReadOnlyList<ControlParameter> Query { get; init; } = [];

    /// <summary>The request's body; null: none.</summary>
    public JsonTypeInfo? Request { get; init; }

    /// <summary>The answer when all is well; null: nothing (204). What is JSON already is a <see cref="System.Text.Json.Nodes.JsonObject"/> here.</summary>
    public JsonTypeInfo? Answer { get; init; }

    /// <summary>It belongs to the dashboard's page, and is of no use without it.</summary>
    public bool IsPartOfPage { get; init; }

    /// <summary>The media type of an answer that is text; null: it is no text.</summary>
    public string? AnswerText { get; init; }

    /// <summary>A route that answers with what is read at that moment.</summary>
    public static ControlRoute Get<T>(string path, string summary, JsonTypeInfo<T> type, Func<T> read) =>
        new(HttpMethods.Get, path, summary, context => context.Response.WriteAsJsonAsync(read(), type)) { Answer = type };

    /// <summary>The path belongs to the control API.</summary>
    public static bool IsControl(PathString path) => path.StartsWithSegments("/v1") || path == DocumentPath;

    /// <summary>Makes an endpoint of each path: the route by its method, or 405.</summary>
    public static void Map(IEndpointRouteBuilder endpoints, IReadOnlyList<ControlRoute> routes)
    {
        string[] paths = [.. routes.Select(route => route.Path).Distinct()];
        foreach (string path in paths)
        {
            ControlRoute[] here = [.. routes.Where(route => route.Path == path)];
            endpoints.Map(path, context => here.FirstOrDefault(route => route.Method == context.Request.Method) is { } route
                ? route.AnswerAsync(context) : WrongMethod(context, here));
        }

        endpoints.MapFallback((RequestDelegate)(context => NotFound(context, paths)));
    }

    private Task AnswerAsync(HttpContext context)
    {
        foreach ((string name, Microsoft.Extensions.Primitives.StringValues values) in context.Request.Query)
        {
            if (Query.All(parameter => parameter.Name != name))
                return Answers.BadRequest(context, $"{Method} {Path} has no parameter {VtepConfigRules.Quote(name)}; {Known(name)}");
            if (values.Count > 1)
                return Answers.BadRequest(context, $"The parameter {name} is there {values.Count} times; give it once.");
        }

        return Handle(context);
    }

    private string Known(string name) => Query.Count == 0 ? "it has none."
        : Spelling.Nearest(name, Query.Select(parameter => parameter.Name)) is { } near ? $"did you mean {near}?"
        : $"it has {string.Join(", ", Query.Select(parameter => parameter.Name))}.";

    private static Task WrongMethod(HttpContext context, ControlRoute[] here)
    {
        string allowed = string.Join(", ", here.Select(route => route.Method));
        context.Response.Headers.Allow = allowed;
        return Answers.Fail(context, StatusCodes.Status405MethodNotAllowed, "Wrong method",
            $"{here[0].Path} can't be asked with {VtepConfigRules.Quote(context.Request.Method)}; use {allowed}.");
    }

    private static Task NotFound(HttpContext context, string[] paths)
    {
        string path = context.Request.Path;
        string near = Spelling.Nearest(path, paths) is { } meant ? $"did you mean {meant}?" : $"see {DocumentPath} for what there is.";
        return Answers.Fail(context, StatusCodes.Status404NotFound, "Not found",
            $"There is no {VtepConfigRules.Escape(context.Request.Method)} {VtepConfigRules.Quote(path)} here; {near}");
    }
}
