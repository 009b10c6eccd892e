using Backchannel;
using Devices.V1;
using Grpc.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

var builder = WebApplication.CreateBuilder(args);

// The addresses are in appsettings.json. In Development agents come over plain HTTP/2, from this machine alone. Everywhere else they come over TLS, and
// show certificates: give the server its own by Kestrel:Certificates:Default:Path and :KeyPath. Agents' certificates are checked as
// the system checks any; to take those of your own authority, and no others, set a chain policy:
//
//     // using System.Security.Cryptography.X509Certificates;
//     https.OnAuthenticate = (_, tls) => tls.CertificateChainPolicy = new X509ChainPolicy
//     {
//         TrustMode = X509ChainTrustMode.CustomRootTrust,
//         CustomTrustStore = { X509CertificateLoader.LoadCertificateFromFile("agents.pem") },
//         RevocationMode = X509RevocationMode.NoCheck,
//     };
builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigurationLoader!.Endpoint("Agents", endpoint =>
{
    if (endpoint.IsHttps)
    {
        var https = endpoint.HttpsOptions;
        https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
        endpoint.ListenOptions.UseHttps(https);
    }

    endpoint.ListenOptions.UseBackchannel();
}));
builder.Services.AddGrpc();

// An agent has the name that its certificate gives it (the subject's common name), or its user's. Whoever can connect in Development is taken at his word.
builder.Services.AddBackchannel(server => server.TrustNamesOfClients = builder.Environment.IsDevelopment());
var app = builder.Build();

// Agents attach here. With authentication of your own, by tokens say: app.MapBackchannel().RequireAuthorization();
app.MapBackchannel();

app.MapGet("/devices", async (IBackchannelPeers peers, CancellationToken cancellationToken) =>
    string.Concat(await peers.ListAsync(cancellationToken).Select(peer => $"{peer.Name}\n").ToListAsync(cancellationToken)));

app.MapPost("/devices/{name}/restart", async (string name, IBackchannelPeers peers, CancellationToken cancellationToken) =>
{
    try
    {
        var device = peers.GetClient<Device.DeviceClient>(name);
        var reply = await device.RestartAsync(new RestartRequest(), deadline: DateTime.UtcNow.AddSeconds(10), cancellationToken: cancellationToken);
        return Results.Text($"{name}: restarted, {reply.Restarts} in all\n");
    }
    catch (RpcException failure) when (failure.StatusCode == StatusCode.Unavailable)
    {
        return Results.Text($"{failure.Status.Detail}\n", statusCode: StatusCodes.Status503ServiceUnavailable);
    }
});

app.Run();
