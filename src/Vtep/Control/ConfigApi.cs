// The part of the control API that is about the configuration.
//
//   GET    /v1/config          the configuration in force, defaults included, as a configuration file (ConfigWriter)
//   GET    /v1/config/file     { "path": "/etc/vtep/vtep.jsonc" }   the file a reload reads
//   POST   /v1/reload          what changed; 422 with every error when the old configuration is still in force

using System.ComponentModel;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using VtepDataPlane.Daemon.Configuration;
using VtepDataPlane.Daemon.Hosting;

namespace VtepDataPlane.Daemon.Control;

[Description("The file a reload reads.")]
internal sealed record ConfigFileAnswer([property: Description("Absolute path.")] string Path);

[Description("What a reload did.")]
internal sealed record ReloadAnswer(
    [property: Description("The file that is in force now.")] string Path,
    [property: Description("In words.")] string Summary,
    [property: Description("What changed.")] ConfigPlan Plan,
    [property: Description("What in the file is legal, but hardly meant.")] IReadOnlyList<string> Warnings);

/// <summary>The generated serializers.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(ConfigFileAnswer))]
[JsonSerializable(typeof(ReloadAnswer))]
[JsonSerializable(typeof(ConfigPlan))]
internal sealed partial class ConfigJson : JsonSerializerContext;

/// <summary>The routes about the configuration.</summary>
/// <param name="path">The file a reload reads.</param>
/// <param name="config">The configuration in force.</param>
/// <param name="reload">Reloads it.</param>
internal sealed class ConfigApi(string path, Func<DaemonConfig> config, Func<Task<ReloadResult>> reload)
{
    /// <summary>Every route.</summary>
    public IReadOnlyList<ControlRoute> Routes =>
    [
        new(HttpMethods.Get, "/v1/config", "The configuration in force, defaults included, as a configuration file.", GetConfig)
        {
            Answer = ControlJson.Default.JsonObject,
        },
        ControlRoute.Get("/v1/config/file", "The file a reload reads.", ConfigJson.Default.ConfigFileAnswer, () => new ConfigFileAnswer(path)),
        new(HttpMethods.Post, "/v1/reload", "Read the configuration file again and apply it, all or nothing.", Reload) { Answer = ConfigJson.Default.ReloadAnswer },
    ];

    private Task GetConfig(HttpContext context) => Answers.Json(context, ConfigWriter.Write(config()));

    private async Task Reload(HttpContext context)
    {
        ReloadResult result = await reload();
        if (result.Plan is { } plan)
            await context.Response.WriteAsJsonAsync(new ReloadAnswer(path, plan.Summary, plan, result.Warnings), ConfigJson.Default.ReloadAnswer);
        else
            await Answers.Fail(context, StatusCodes.Status422UnprocessableEntity, "Not reloaded",
                "The configuration was not reloaded; the old one is still in force.", result.Errors);
    }
}
