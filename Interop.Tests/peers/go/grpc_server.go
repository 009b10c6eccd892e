package main

import (
	"context"
	"flag"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"interop/gitalypb"
	"interop/pb"
)

// grpcServer is Gitaly's side: multiplexed and plain clients on one port.
func grpcServer(args []string) error {
	flags := flag.NewFlagSet("grpc-server", flag.ExitOnError)
	listen := flags.String("listen", "127.0.0.1:0", "where to listen")
	onwards := flags.String("onwards", "", "address of the server that transfers are handed on to")
	secret := flags.String("token", "", "secret of the tokens that calls must carry")
	files := addTLSFlags(flags)
	flags.Parse(args)

	inner, err := files.credentials()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	peers := &registry{peers: map[int64]*backchannelPeer{}}
	server := grpc.NewServer(
		requireToken(*secret),
		grpc.InitialWindowSize(http2Window),
		grpc.InitialConnWindowSize(http2Window),
		grpc.Creds(listenMux{inner, map[string]handshaker{magicBackchannel: peers.handshake}}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}))
	service := newFarEnd(func(ctx context.Context) (pb.FarEndClient, error) {
		conn, err := peers.dialCaller(ctx)
		return pb.NewFarEndClient(conn), err
	})
	service.openSidechannel = peers.openSidechannel
	if *onwards == "" {
		pb.RegisterFarEndServer(server, service)
	} else {
		channels := newSidechannels()
		conn, err := dialSidechannels(*onwards, plaintext{}, channels)
		if err != nil {
			return err
		}
		pb.RegisterFarEndServer(server, transferProxy{service, peers, channels, pb.NewFarEndClient(conn)})
	}
	gitalypb.RegisterRefTransactionServer(server, forwardingVoter{peers})

	say("listening on %s", listener.Addr())
	go func() {
		awaitEndOfInput()
		server.Stop()
	}()
	return server.Serve(listener)
}

// dialCaller gives the gRPC connection back to the client that makes the call.
func (r *registry) dialCaller(ctx context.Context) (*grpc.ClientConn, error) {
	p, err := r.find(ctx)
	if err != nil {
		return nil, err
	}
	return p.dial()
}
