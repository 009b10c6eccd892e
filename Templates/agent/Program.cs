using Backchannel;
using BackchannelAgent1;

var builder = Host.CreateApplicationBuilder(args);
builder.Services.AddGrpc();
builder.Services.AddSingleton<DeviceState>();

// The server's address and the name of this agent are in appsettings.json, under Backchannel:Agent. A server that does not trust the names of its clients, as this one's
// template does in Development alone, takes the name from the certificate that the agent shows:
//
//     // using System.Security.Cryptography.X509Certificates;
//     AddBackchannelAgent(configure: agent => agent.ConfigureHandler = handler =>
//         handler.SslOptions.ClientCertificates = [X509Certificate2.CreateFromPemFile("agent.pem", "agent.key")])
builder.Services.AddBackchannelAgent()
    .MapGrpcService<DeviceService>(); // What the server may call. AddGrpcClient<T>() adds stubs of the server's services, over the same connection.

builder.Build().Run();
