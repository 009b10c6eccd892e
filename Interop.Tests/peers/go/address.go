package main

import (
	"context"
	"net"
	"strings"
)

// An address is HOST:PORT, or the path of a Unix socket behind unix:, as in Gitaly's configuration.
const unixScheme = "unix:"

func listenAt(address string) (net.Listener, error) {
	if path := strings.TrimPrefix(address, unixScheme); path != address {
		return net.Listen("unix", path)
	}
	return net.Listen("tcp", address)
}

// sayListening tells of the address in the form in which it is dialled.
func sayListening(listener net.Listener) {
	scheme := ""
	if listener.Addr().Network() == "unix" {
		scheme = unixScheme
	}
	say("listening on %s%s", scheme, listener.Addr())
}

// dialUnix connects to the path of a gRPC target, whatever proxy the environment names.
func dialUnix(ctx context.Context, target string) (net.Conn, error) {
	dialer := net.Dialer{}
	return dialer.DialContext(ctx, "unix", strings.TrimPrefix(target, unixScheme))
}
