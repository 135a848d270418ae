// What handlers of the control API have in common: reading a body, and answering that something was done, was not, or made no sense.

using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Daemon.Control;

/// <summary>Answers of the control API.</summary>
internal static class Answers
{
    public static string NoVni(string text) => $"{VtepConfigRules.Quote(text)} is no VNI; write a number from 0 to {Vni.MaxValue}.";

    public static string NoMac(string text) => $"{VtepConfigRules.Quote(text)} is no MAC address; write six hex pairs, like 02:00:5e:10:00:01.";

    /// <summary>The request's body; null: it can't be read, and that has been answered.</summary>
    public static async Task<T?> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            if (await JsonSerializer.DeserializeAsync(context.Request.Body, type, context.RequestAborted) is { } request)
                return request;
            await BadRequest(context, "The request's body is null; say what is meant.");
        }
        catch (JsonException error)
        {
            await BadRequest(context, error.Message);
        }
        catch (BadHttpRequestException error)
        {
            await Fail(context, error.StatusCode, "Bad request", error.Message);
        }

        return null;
    }

    /// <summary>Done, or a sentence why not.</summary>
    public static Task Outcome(HttpContext context, string? whyNot)
    {
        if (whyNot is not null)
            return Fail(context, StatusCodes.Status409Conflict, "Not done", whyNot);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    public static Task BadRequest(HttpContext context, string sentence) =>
        Fail(context, StatusCodes.Status400BadRequest, "Bad request", sentence);

    public static Task Fail(HttpContext context, int status, string title, string sentence, IReadOnlyList<string>? errors = null)
    {
        context.Response.StatusCode = status;
        var problem = new ControlProblem(title, status, sentence, errors);
        return context.Response.WriteAsJsonAsync(problem, ControlJson.Default.ControlProblem, "application/problem+json");
    }
}
