package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"

	"github.com/hashicorp/yamux"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

var errNotMultiplexed = errors.New("non-multiplexed connection")

// registry knows the multiplexed clients that are connected, by id from 1.
type registry struct {
	generation generation
	nameless   bool
	options    []grpc.DialOption

	lock  sync.Mutex
	last  int64
	peers map[int64]*backchannelPeer
}

// backchannelPeer is one multiplexed client. It is the connection's AuthInfo, which is how handlers come by it.
type backchannelPeer struct {
	credentials.AuthInfo // of the connection below: plaintext or TLS
	id                   int64
	session              *yamux.Session
	channel              *backchannel
}

// handshake turns a connection that said "backchannel" into its client's first stream. When it fails, gRPC closes the
// connection, and the session with it.
func (r *registry) handshake(conn net.Conn, info credentials.AuthInfo) (net.Conn, credentials.AuthInfo, error) {
	session, err := yamux.Server(conn, yamuxConfig(1, 16<<20))
	if err != nil {
		return nil, nil, err
	}
	stream, err := session.Accept()
	if err != nil {
		return nil, nil, err
	}
	address := conn.RemoteAddr().String()
	if r.nameless {
		address = ""
	}
	channel, err := r.generation.dial(address, session, r.options)
	if err != nil {
		return nil, nil, err
	}

	r.lock.Lock()
	r.last++
	p := &backchannelPeer{AuthInfo: info, id: r.last, session: session, channel: channel}
	r.peers[p.id] = p
	r.lock.Unlock()
	say("connected %d", p.id)
	return &firstStream{Conn: stream, close: func() error { return r.remove(p) }}, p, nil
}

func (r *registry) remove(p *backchannelPeer) error {
	r.lock.Lock()
	delete(r.peers, p.id)
	r.lock.Unlock()
	err := p.channel.close()
	if sessionErr := p.session.Close(); err == nil {
		err = sessionErr
	}
	say("disconnected %d", p.id)
	return err
}

// callerOf returns the multiplexed client that makes the call.
func callerOf(ctx context.Context) (*backchannelPeer, error) {
	if caller, ok := peer.FromContext(ctx); ok {
		if p, ok := caller.AuthInfo.(*backchannelPeer); ok {
			return p, nil
		}
	}
	return nil, errNotMultiplexed
}

// dialCaller gives the gRPC connection back to the client that makes the call.
func (r *registry) dialCaller(ctx context.Context) (*grpc.ClientConn, error) {
	caller, err := callerOf(ctx)
	if err != nil {
		return nil, status.Error(codes.FailedPrecondition, err.Error())
	}
	r.lock.Lock()
	p := r.peers[caller.id]
	r.lock.Unlock()
	if p == nil {
		return nil, fmt.Errorf("no backchannel for peer %d", caller.id)
	}
	return p.channel.get()
}

// firstStream carries the client's gRPC connection. Closing it closes all that came with it, the connection below
// included, and says no FIN before.
type firstStream struct {
	net.Conn
	once  sync.Once
	close func() error
	err   error
}

func (s *firstStream) Close() error {
	s.once.Do(func() { s.err = s.close() })
	return s.err
}

func yamuxConfig(acceptBacklog int, window uint32) *yamux.Config {
	config := yamux.DefaultConfig()
	config.AcceptBacklog = acceptBacklog
	config.MaxStreamWindowSize = window
	config.EnableKeepAlive = false
	config.LogOutput = os.Stderr
	return config
}
