using System.Globalization;
using System.Net;
using Backchannel.Tests.Kit;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Backchannel.Tests.Replicas.Kit;

/// <summary>A server that is one of several, with an endpoint for agents and one for links.</summary>
internal sealed class Replica : IAsyncDisposable
{
    private Replica(TestServer server, int linkPort)
    {
        Server = server;
        LinkPort = linkPort;
    }

    public TestServer Server { get; }

    public int LinkPort { get; }

    public IBackchannelPeers Peers => Server.Peers;

    public string Id => Server.Services.GetRequiredService<ReplicaMembership>().Id;

    /// <summary>Starts one.</summary>
    /// <param name="directory">What all share: an instance, or how to add it.</param>
    /// <param name="options">Of the server.</param>
    /// <param name="replica">Of the replica.</param>
    /// <param name="build">What else there is.</param>
    /// <param name="link">How links are listened for; null: without TLS.</param>
    public static async Task<Replica> StartAsync(
        BackchannelDirectory? directory,
        Action<BackchannelServerOptions>? options = null,
        Action<BackchannelReplicaOptions>? replica = null,
        Action<IBackchannelServerBuilder>? build = null,
        Action<ListenOptions>? link = null)
    {
        var port = FreePorts.Next();
        var server = await TestServer.StartAsync(
            kestrel =>
            {
                kestrel.Listen(new IPEndPoint(IPAddress.Loopback, 0), TestServer.Cleartext);
                kestrel.Listen(new IPEndPoint(IPAddress.Loopback, port), link ?? (listen => listen.UseBackchannelLink()));
            },
            server =>
            {
                server.TrustNamesOfClients = true;
                options?.Invoke(server);
            },
            builder =>
            {
                if (directory is not null)
                {
                    builder.Services.AddSingleton(directory);
                }

                builder.AddReplicas(settings =>
                {
                    settings.Address = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"));
                    settings.ConnectTimeout = Guard.BeyondLimit;
                    settings.DialTimeout = Guard.BeyondLimit;
                    settings.FarPeerIdleTimeout = Guard.BeyondLimit;
                    replica?.Invoke(settings);
                });
                build?.Invoke(builder);
            });
        return new Replica(server, port);
    }

    /// <summary>Several that share a directory.</summary>
    public static async Task<Replica[]> StartAsync(int count, BackchannelDirectory? directory = null, Action<BackchannelServerOptions>? options = null, Action<BackchannelReplicaOptions>? replica = null)
    {
        directory ??= new InMemoryBackchannelDirectory();
        var replicas = new Replica[count];
        for (var i = 0; i < count; i++)
        {
            replicas[i] = await StartAsync(directory, options, replica);
        }

        return replicas;
    }

    /// <summary>Waits until each sees all.</summary>
    public static Task KnowEachOtherAsync(params Replica[] replicas)
        => Guard.Until(() => replicas.All(replica => replica.Server.Services.GetRequiredService<ReplicaMembership>().Live.Count == replicas.Length), "they know each other");

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}
