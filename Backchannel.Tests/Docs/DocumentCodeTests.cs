using System.Runtime.CompilerServices;
using System.Text;
using Backchannel.Tests.Kit;
using Backchannel.Tests.Readme;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Xunit;

namespace Backchannel.Tests.Docs;

/// <summary>What the documents show is what is compiled here.</summary>
public class DocumentCodeTests
{
    [Theory]
    [InlineData("agents.md")]
    [InlineData("calling.md")]
    [InlineData("security.md")]
    [InlineData("operations.md")]
    [InlineData("replicas.md")]
    [InlineData("telemetry.md")]
    [InlineData("yamux.md")]
    [InlineData("migrating.md")]
    [InlineData("sidechannel.md")]
    public void Every_block_of_code_in_a_document_is_a_piece_of_a_file_that_is_compiled(string document)
    {
        var files = Directory.EnumerateFiles(Folder(), "*Snippets.cs").Select(File.ReadAllLines).ToList();
        var blocks = Blocks(document).Where(block => block.Language == "csharp").ToList();

        Assert.NotEmpty(blocks);
        Assert.All(blocks, block => Assert.True(
            files.Any(block.IsPartOf),
            $"docs/{document}, line {block.Line}: this is in no *Snippets.cs of Backchannel.Tests/Docs:\n{string.Join('\n', block.Lines)}"));
    }

    [Fact]
    public async Task What_the_page_on_yamux_shows_runs()
        => Assert.Equal("question\n", await YamuxSnippets.PlayAsync(TestContext.Current.CancellationToken).Guarded());

    [Fact]
    public async Task The_appsettings_of_an_agent_bind_and_are_valid()
    {
        var json = string.Join('\n', Assert.Single(Blocks("agents.md"), block => block.Language == "json").Lines);
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(json))).Build());
        services.AddBackchannelAgent();
        await using var provider = services.BuildServiceProvider();

        var options = provider.GetRequiredService<IOptions<BackchannelAgentOptions>>().Value;

        Assert.Equal(("https://server.example:5001", "north"), (options.Address, options.Labels["site"]));
        Assert.Equal((TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(5)), (options.MaxBackoff, options.KeepAliveInterval));
    }

    [Theory]
    [InlineData("agents.md")]
    [InlineData("calling.md")]
    [InlineData("security.md")]
    [InlineData("operations.md")]
    [InlineData("replicas.md")]
    [InlineData("telemetry.md")]
    [InlineData("yamux.md")]
    [InlineData("migrating.md")]
    [InlineData("sidechannel.md")]
    public void No_block_is_of_a_language_that_nothing_holds(string document)
        => Assert.All(Blocks(document), block => Assert.Contains(block.Language, document == "agents.md" ? ["csharp", "json"] : new[] { "csharp" }));

    private static List<CodeBlock> Blocks(string document) => CodeBlock.ReadAll(Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(Folder()))!, "docs", document));

    private static string Folder([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
