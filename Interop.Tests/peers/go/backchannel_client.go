package main

import (
	"context"
	"net"
	"time"

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
	options  []grpc.ServerOption
}

func (h clientHandshake) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := h.TransportCredentials.ClientHandshake(ctx, authority, raw)
	if err != nil {
		return nil, nil, err
	}
	stream, err := h.multiplex(ctx, conn)
	if err != nil {
		return nil, nil, err
	}
	return stream, info, nil
}

// multiplex leaves what it began to gRPC when it fails: it closes the connection, and the session with it.
func (h clientHandshake) multiplex(ctx context.Context, conn net.Conn) (net.Conn, error) {
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return nil, err
	}
	// gRPC lifts the deadline of what it gets, which is the stream, and not this.
	defer conn.SetDeadline(time.Time{})
	if _, err := conn.Write([]byte(magicBackchannel)); err != nil {
		return nil, err
	}
	session, err := yamux.Client(conn, yamuxConfig(256, 256<<10))
	if err != nil {
		return nil, err
	}
	stream, err := session.Open()
	if err != nil {
		return nil, err
	}

	server := grpc.NewServer(append(h.options, grpc.Creds(listenMux{plaintext{}, map[string]handshaker{
		magicSidechannel: h.channels.handshake,
	}}))...)
	h.register(server)
	served := make(chan error, 1)
	go func() { served <- server.Serve(session) }()
	return &firstStream{Conn: stream, close: func() error {
		// It closes its listener, hence the session, and the connection with it.
		server.Stop()
		return <-served
	}}, nil
}

func (h clientHandshake) Clone() credentials.TransportCredentials {
	return clientHandshake{h.TransportCredentials.Clone(), h.register, h.channels, h.options}
}
