package main

import (
	"context"
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

// registry knows the multiplexed clients that are connected, by id from 1.
type registry struct {
	lock  sync.Mutex
	last  int64
	peers map[int64]*backchannelPeer
}

// backchannelPeer is one multiplexed client. It is the connection's AuthInfo, which is how handlers come by it.
type backchannelPeer struct {
	credentials.AuthInfo // of the connection below: plaintext or TLS
	id                   int64
	session              *yamux.Session

	dialOnce sync.Once
	dialErr  error
	client   *grpc.ClientConn
}

// handshake turns a connection that said "backchannel" into its client's first stream.
func (r *registry) handshake(conn net.Conn, info credentials.AuthInfo) (net.Conn, credentials.AuthInfo, error) {
	session, err := yamux.Server(conn, yamuxConfig(1, 16<<20))
	if err != nil {
		return nil, nil, err
	}
	stream, err := session.AcceptStream()
	if err != nil {
		session.Close()
		return nil, nil, err
	}

	r.lock.Lock()
	r.last++
	p := &backchannelPeer{AuthInfo: info, id: r.last, session: session}
	r.peers[p.id] = p
	r.lock.Unlock()
	say("connected %d", p.id)
	return &firstStream{Stream: stream, close: func() { r.remove(p) }}, p, nil
}

func (r *registry) remove(p *backchannelPeer) {
	r.lock.Lock()
	delete(r.peers, p.id)
	r.lock.Unlock()
	p.dialOnce.Do(func() { p.dialErr = status.Error(codes.Unavailable, "peer is gone") })
	if p.client != nil {
		p.client.Close()
	}
	p.session.Close()
	say("disconnected %d", p.id)
}

// find returns the client that makes the call.
func (r *registry) find(ctx context.Context) (*backchannelPeer, error) {
	if caller, ok := peer.FromContext(ctx); ok {
		if p, ok := caller.AuthInfo.(*backchannelPeer); ok {
			r.lock.Lock()
			defer r.lock.Unlock()
			if r.peers[p.id] != nil {
				return p, nil
			}
			return nil, status.Errorf(codes.FailedPrecondition, "no backchannel for peer %d", p.id)
		}
	}
	return nil, status.Error(codes.FailedPrecondition, "non-multiplexed connection")
}

// dial gives the gRPC connection back to the client. Its stream is opened for the first call that needs it.
func (p *backchannelPeer) dial() (*grpc.ClientConn, error) {
	p.dialOnce.Do(func() {
		p.client, p.dialErr = grpc.Dial("backchannel",
			grpc.WithInsecure(),
			grpc.WithInitialWindowSize(http2Window),
			grpc.WithInitialConnWindowSize(http2Window),
			grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) { return p.session.Open() }))
	})
	return p.client, p.dialErr
}

// firstStream carries the client's gRPC connection: when it closes, so does all that came with it.
type firstStream struct {
	*yamux.Stream
	once  sync.Once
	close func()
}

func (s *firstStream) Close() error {
	err := s.Stream.Close()
	s.once.Do(s.close)
	return err
}

func yamuxConfig(acceptBacklog int, window uint32) *yamux.Config {
	config := yamux.DefaultConfig()
	config.AcceptBacklog = acceptBacklog
	config.MaxStreamWindowSize = window
	config.EnableKeepAlive = false
	config.LogOutput = os.Stderr
	return config
}
