package main

import (
	"context"
	"net"

	"github.com/hashicorp/yamux"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// clientHandshake is the dialing side: inside TLS it says "backchannel", opens the stream for gRPC, and serves its own
// services and its sidechannels on the streams that the server opens.
type clientHandshake struct {
	credentials.TransportCredentials
	register func(*grpc.Server)
	channels *sidechannels
}

func (h clientHandshake) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := h.TransportCredentials.ClientHandshake(ctx, authority, raw)
	if err != nil {
		return nil, nil, err
	}
	if _, err := conn.Write([]byte(magicBackchannel)); err != nil {
		return nil, nil, err
	}
	session, err := yamux.Client(conn, yamuxConfig(256, 256<<10))
	if err != nil {
		return nil, nil, err
	}
	stream, err := session.OpenStream()
	if err != nil {
		session.Close()
		return nil, nil, err
	}

	server := grpc.NewServer(grpc.InitialWindowSize(http2Window), grpc.InitialConnWindowSize(http2Window), grpc.Creds(listenMux{plaintext{}, map[string]handshaker{
		magicSidechannel: h.channels.handshake,
	}}))
	h.register(server)
	go server.Serve(session)
	return &firstStream{Stream: stream, close: func() {
		server.Stop()
		session.Close()
	}}, info, nil
}

func (h clientHandshake) Clone() credentials.TransportCredentials {
	return clientHandshake{h.TransportCredentials.Clone(), h.register, h.channels}
}
