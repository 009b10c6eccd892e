using System.Reflection;
using System.Runtime.CompilerServices;
using System.Xml.Linq;
using Backchannel.Tests.Kit;
using Xunit;

namespace Backchannel.Tests.Packages;

/// <summary>The packages, as who has nothing but them uses them.</summary>
[Collection(BuildsCollection.Name)]
[Trait("Category", "Long")]
public class PackageTests(PackageFolder folder) : IClassFixture<PackageFolder>
{
    private const string AotVariable = "PACKAGES_AOT";

    private static readonly string[] Libraries = ["Backchannel", "Backchannel.ListenMux", "Backchannel.Sidechannel", "Backchannel.StackExchangeRedis", "Backchannel.Yamux"];
    private static readonly string[] All = [.. Libraries, "Backchannel.Templates", "yamuxspec"];

    /// <summary>How the two programs are made: a compiler of native code takes minutes.</summary>
    public static TheoryData<string> Ways => Environment.GetEnvironmentVariable(AotVariable) == "1" ? ["run", "single-file", "native"] : ["run"];

    [Fact]
    public void Packing_makes_the_seven_packages_with_symbols_and_nothing_else()
        => Assert.Equal(
            All.Select(id => $"{id}.{PackageFolder.Version}.nupkg").Concat(Libraries.Append("yamuxspec").Select(id => $"{id}.{PackageFolder.Version}.snupkg")).Order(StringComparer.Ordinal),
            folder.Files.Order(StringComparer.Ordinal));

    [Fact]
    public void Each_package_has_a_page_an_icon_tags_and_a_licence()
        => Assert.All(All, id =>
        {
            var nuspec = folder.Nuspec(id);
            Assert.All(["readme", "icon", "tags", "license", "description"], name => Assert.NotEmpty(Value(nuspec, name)));
            Assert.NotEmpty(folder.Read(id, Value(nuspec, "readme")));
            Assert.NotEmpty(folder.Read(id, Value(nuspec, "icon")));
        });

    [Fact]
    public void Packages_ask_for_exactly_their_own_version_of_each_other()
    {
        var references = Libraries
            .SelectMany(id => folder.Nuspec(id).Descendants().Where(element => element.Name.LocalName == "dependency")
                .Where(dependency => dependency.Attribute("id")!.Value.StartsWith("Backchannel", StringComparison.Ordinal))
                .Select(dependency => $"{id} {dependency.Attribute("id")!.Value} {dependency.Attribute("version")!.Value}"));

        Assert.Equal(
            [
                $"Backchannel Backchannel.ListenMux [{PackageFolder.Version}]",
                $"Backchannel Backchannel.Yamux [{PackageFolder.Version}]",
                $"Backchannel.Sidechannel Backchannel [{PackageFolder.Version}]",
                $"Backchannel.StackExchangeRedis Backchannel [{PackageFolder.Version}]",
            ],
            references.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void No_package_sees_the_internals_of_another()
    {
        Assembly[] assemblies = [typeof(BackchannelHost).Assembly, typeof(ListenMux.ListenMuxBuilder).Assembly, typeof(Sidechannel.SidechannelRegistry).Assembly, typeof(StackExchangeRedis.RedisDirectoryOptions).Assembly, typeof(Yamux.YamuxSession).Assembly];

        var friends = assemblies.SelectMany(assembly => assembly.GetCustomAttributes<InternalsVisibleToAttribute>()).Select(friend => friend.AssemblyName);

        Assert.Empty(friends.Intersect(assemblies.Select(assembly => assembly.GetName().Name)));
    }

    [Fact]
    public void What_agents_attach_with_is_in_the_package()
        => Assert.Equal(
            File.ReadAllText(Path.Combine(folder.Root, "Backchannel", "Attachment", "attachment.proto")),
            folder.Read("Backchannel", "protos/backchannel/v1/attachment.proto"));

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task The_server_of_the_template_calls_the_agent_of_the_template(string way)
    {
        await using var server = await StartAsync("Server", way, ("Kestrel__Endpoints__Agents__Url", "http://127.0.0.1:0"), ("Kestrel__Endpoints__People__Url", "http://127.0.0.1:0"));

        // Kestrel begins with the first by name.
        var addresses = (await server.ReadUntilAsync("Application started"))
            .Where(line => line.Contains("Now listening on: ", StringComparison.Ordinal)).Select(line => new Uri(line[line.IndexOf("http", StringComparison.Ordinal)..])).ToList();
        Assert.Equal(2, addresses.Count);
        await using var agent = await StartAsync("Agent", way, ("Backchannel__Agent__Address", addresses[0].ToString()));
        await agent.ReadUntilAsync("Attached to ");
        using var people = new HttpClient { BaseAddress = addresses[1] };

        using var restarted = await people.PostAsync("/devices/device-1/restart", null).Guarded();

        Assert.Equal("device-1: restarted, 1 in all\n", await restarted.Content.ReadAsStringAsync().Guarded());
        Assert.Equal("device-1\n", await people.GetStringAsync("/devices").Guarded());
    }

    private static string Value(XElement nuspec, string name) => nuspec.Elements().Single(element => element.Name.LocalName == name).Value;

    private async Task<TemplateProgram> StartAsync(string project, string way, params (string Variable, string Value)[] environment)
    {
        if (way == "run")
        {
            await folder.DotnetAsync($"build {project} -warnaserror");
            return new(PackageFolder.Start(folder[project], Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", ["run", "--no-build"], environment));
        }

        var output = $"{project}-{way}";
        await folder.DotnetAsync($"publish {project} -o {output} -warnaserror {(way == "native" ? "-p:PublishAot=true" : "-p:PublishTrimmed=true -p:PublishSingleFile=true --self-contained")}");
        return new(PackageFolder.Start(
            folder[output], Path.Combine(folder[output], project), [], [.. environment, ("ASPNETCORE_ENVIRONMENT", "Development"), ("DOTNET_ENVIRONMENT", "Development")]));
    }
}
