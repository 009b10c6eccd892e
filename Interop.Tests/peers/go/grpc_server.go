package main

import (
	"context"
	"flag"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"interop/gitalypb"
	"interop/pb"
)

// grpcServer is Gitaly's side: multiplexed and plain clients on one port. With -onwards it is Praefect's.
func grpcServer(args []string) error {
	flags := flag.NewFlagSet("grpc-server", flag.ExitOnError)
	listen := flags.String("listen", "127.0.0.1:0", "where to listen, HOST:PORT or unix:PATH")
	dial := flags.String("dial", "escaped", "how clients are dialled back: raw, escaped or lazy")
	tuned := flags.Bool("tuned-windows", false, "let gRPC tune its windows, for messages of less than 64 KiB")
	nameless := flags.Bool("nameless", false, "take clients for such as have no address, as those of Unix sockets in newer Go")
	onwards := flags.String("onwards", "", "address of the server that transfers are handed on to")
	secret := flags.String("token", "", "secret of the tokens that calls must carry")
	files := addTLSFlags(flags)
	flags.Parse(args)

	inner, err := files.credentials()
	if err != nil {
		return err
	}
	generation, known := generations[*dial]
	if !known {
		return fmt.Errorf("no way to dial %q", *dial)
	}
	listener, err := listenAt(*listen)
	if err != nil {
		return err
	}
	peers := &registry{generation: generation, nameless: *nameless, options: clientWindows(*tuned), peers: map[int64]*backchannelPeer{}}
	server := grpc.NewServer(append(append(requireTokens(*secret), serverWindows(*tuned)...),
		grpc.Creds(listenMux{inner, map[string]handshaker{magicBackchannel: peers.handshake}}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 5 * time.Minute}))...)
	service := newFarEnd(func(ctx context.Context) (pb.FarEndClient, error) {
		conn, err := peers.dialCaller(ctx)
		return pb.NewFarEndClient(conn), err
	})
	service.openSidechannel = openSidechannel
	if *onwards == "" {
		pb.RegisterFarEndServer(server, service)
	} else {
		channels := newSidechannels()
		conn, err := dialSidechannels(*onwards, clientOptions{credentials: plaintext{}}, channels)
		if err != nil {
			return err
		}
		pb.RegisterFarEndServer(server, transferProxy{service, channels, pb.NewFarEndClient(conn)})
	}
	gitalypb.RegisterRefTransactionServer(server, forwardingVoter{peers})

	sayListening(listener)
	go func() {
		awaitEndOfInput()
		server.Stop()
	}()
	return server.Serve(listener)
}
