// What handlers of the control API have in common: reading a body, and answering that something was done, was not, or made no sense.
//
// A body is read whole, at most ControlApi.MaxRequestBody bytes, and its members are compared with those the type has before the
// serializer sees it: what it says of a wrong member is about types of this program, which is of no use to who wrote the request.

using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using VtepDataPlane.Daemon.Configuration;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Daemon.Control;

/// <summary>Answers of the control API.</summary>
internal static class Answers
{
    private static readonly string s_tooSlow = $"The request's body didn't come within {ControlApi.Patience.TotalSeconds} s; send it at once.";

    public static string NoVni(string text) => $"{VtepConfigRules.Quote(text)} is no VNI; write a number from 0 to {Vni.MaxValue}.";

    public static string NoMac(string text) => $"{VtepConfigRules.Quote(text)} is no MAC address; write six hex pairs, like 02:00:5e:10:00:01.";

    /// <summary>The request's body; null: it can't be read, and that has been answered.</summary>
    public static async Task<T?> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type)
        where T : class
    {
        if (!IsJson(context.Request))
        {
            await Fail(context, StatusCodes.Status415UnsupportedMediaType, "Not JSON",
                $"A body of type {VtepConfigRules.Quote(context.Request.ContentType!)} isn't understood; send JSON, with "
                + "'Content-Type: application/json' (curl has --json for that).");
            return null;
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        stop.CancelAfter(ControlApi.Patience);
        try
        {
            return Parse(await BodyAsync(context.Request.Body, stop.Token), type);
        }
        catch (JsonException error)
        {
            await BadRequest(context, error.Message);
        }
        catch (BadHttpRequestException error)
        {
            await Fail(context, error.StatusCode, "Bad request", Explain(error));
        }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
        {
            context.Response.Headers.Connection = "close";
            await Fail(context, StatusCodes.Status408RequestTimeout, "Bad request", s_tooSlow);
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

    /// <summary>Answers with what is JSON already.</summary>
    public static Task Json(HttpContext context, ReadOnlyMemory<byte> json)
    {
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.ContentLength = json.Length;
        return context.Response.Body.WriteAsync(json, context.RequestAborted).AsTask();
    }

    public static Task BadRequest(HttpContext context, string sentence) =>
        Fail(context, StatusCodes.Status400BadRequest, "Bad request", sentence);

    public static Task Fail(HttpContext context, int status, string title, string sentence, IReadOnlyList<string>? errors = null)
    {
        context.Response.StatusCode = status;
        var problem = new ControlProblem(title, status, sentence, errors);
        context.Features.Set(problem); // for the log
        return context.Response.WriteAsJsonAsync(problem, ControlJson.Default.ControlProblem, "application/problem+json");
    }

    private static bool IsJson(HttpRequest request) => string.IsNullOrEmpty(request.ContentType) || request.HasJsonContentType();

    private static async Task<ReadOnlyMemory<byte>> BodyAsync(Stream body, CancellationToken stop)
    {
        byte[] buffer = new byte[ControlApi.MaxRequestBody + 1];
        int length = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, stop);
        if (length <= ControlApi.MaxRequestBody)
            return buffer.AsMemory(0, length);
        while (await body.ReadAsync(buffer, stop) > 0)
            continue;
        throw new BadHttpRequestException("", StatusCodes.Status413PayloadTooLarge);
    }

    private static T Parse<T>(ReadOnlyMemory<byte> json, JsonTypeInfo<T> type)
        where T : class
    {
        using JsonDocument body = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = ControlJson.Depth });
        if (body.RootElement.ValueKind != JsonValueKind.Object)
            throw new JsonException($"The request's body must be an object with {string.Join(", ", type.Properties.Select(property => property.Name))}.");
        string[] members = [.. body.RootElement.EnumerateObject().Select(member => member.Name)];
        if (Complaint(members, type) is { } complaint)
            throw new JsonException(complaint);
        return body.Deserialize(type)!;
    }

    private static string? Complaint(string[] members, JsonTypeInfo type)
    {
        string[] known = [.. type.Properties.Select(property => property.Name)];
        if (members.FirstOrDefault(member => !known.Contains(member)) is { } unknown)
        {
            string meant = Spelling.Nearest(unknown, known) is { } near ? $"did you mean {near}?" : $"it may have {string.Join(", ", known)}.";
            return $"The request has a member {VtepConfigRules.Quote(unknown)} that isn't known; {meant}";
        }

        if (members.GroupBy(member => member).FirstOrDefault(same => same.Count() > 1) is { } twice)
            return $"The request has the member {twice.Key} {twice.Count()} times; give it once.";
        return type.Properties.FirstOrDefault(property => property.IsRequired && !members.Contains(property.Name)) is { } missing
            ? $"The request lacks the member {missing.Name}; give it." : null;
    }

    private static string Explain(BadHttpRequestException error) => error.StatusCode switch
    {
        StatusCodes.Status413PayloadTooLarge => $"The request's body is larger than {ControlApi.MaxRequestBody} bytes; nothing that can be said here needs more.",
        StatusCodes.Status408RequestTimeout => s_tooSlow,
        _ => error.Message,
    };
}
