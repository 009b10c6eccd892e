package main

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"

	"github.com/hashicorp/yamux"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// generation is how Gitaly's servers of some years dial the gRPC connection back to a client. What they differ in is
// when its stream is opened, and what the calls say as :authority. This grpc-go is of the first.
type generation struct {
	target string
	// Opened by the first call, and not with the connection.
	lazy bool
	// The :authority is what newer gRPC makes of the target.
	escapes bool
}

var generations = map[string]generation{
	// grpc.Dial, and grpc-go before 1.57: multiplexed/127.0.0.1:1234
	"raw": {target: "multiplexed/"},
	// grpc.Dial, and grpc-go from 1.57: multiplexed%2F127.0.0.1:1234
	"escaped": {target: "multiplexed/", escapes: true},
	// grpc.NewClient: 127.0.0.1:1234
	"lazy": {target: "passthrough://multiplexed/", lazy: true, escapes: true},
}

// backchannel is the gRPC connection to one client.
type backchannel struct {
	open func() (*grpc.ClientConn, error)

	once sync.Once
	conn *grpc.ClientConn
	err  error
}

// dial takes the address of the connection that the session is on, as Go prints it.
func (g generation) dial(address string, session *yamux.Session, options []grpc.DialOption) (*backchannel, error) {
	if g.escapes {
		authority := address
		if !strings.Contains(g.target, "://") {
			authority = g.target + address
		}
		options = append(options[:len(options):len(options)], grpc.WithAuthority(escapeAuthority(authority)))
	}
	channel := &backchannel{open: func() (*grpc.ClientConn, error) {
		return grpc.Dial(g.target+address, append(options[:len(options):len(options)],
			grpc.WithInsecure(),
			grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) { return session.Open() }))...)
	}}
	if g.lazy {
		return channel, nil
	}
	_, err := channel.get()
	return channel, err
}

func (c *backchannel) get() (*grpc.ClientConn, error) {
	c.once.Do(func() { c.conn, c.err = c.open() })
	return c.conn, c.err
}

func (c *backchannel) close() error {
	c.once.Do(func() { c.err = status.Error(codes.Canceled, "the connection to the peer is closing") })
	if c.conn == nil {
		return nil
	}
	return c.conn.Close()
}

// escapeAuthority is what grpc-go does since 1.57 to each byte that RFC 3986 allows in no authority.
func escapeAuthority(authority string) string {
	var escaped strings.Builder
	for _, b := range []byte(authority) {
		if 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || strings.IndexByte("-_.~!$&'()*+,;=:[]@", b) >= 0 {
			escaped.WriteByte(b)
		} else {
			fmt.Fprintf(&escaped, "%%%02X", b)
		}
	}
	return escaped.String()
}
