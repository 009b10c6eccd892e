package main

import (
	"bytes"
	"context"
	"io"
	"net"

	"google.golang.org/grpc/credentials"
)

// Each protocol that shares the port begins with this many bytes, as does the preface of HTTP/2.
const magicSize = 11

const (
	magicBackchannel = "backchannel"
	magicSidechannel = "sidechannel"
)

// handshaker takes over a connection whose magic has been read. What it returns is served as gRPC.
type handshaker func(conn net.Conn, info credentials.AuthInfo) (net.Conn, credentials.AuthInfo, error)

// listenMux looks at the first bytes of each connection that a gRPC server accepts, inside TLS if there is any.
type listenMux struct {
	credentials.TransportCredentials
	handshakers map[string]handshaker
}

func (m listenMux) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := m.TransportCredentials.ServerHandshake(raw)
	if err != nil {
		return nil, nil, err
	}
	magic := make([]byte, magicSize)
	if _, err := io.ReadFull(conn, magic); err != nil {
		return nil, nil, err
	}
	if shake, known := m.handshakers[string(magic)]; known {
		return shake(conn, info)
	}
	return &unreadConn{Conn: conn, reader: io.MultiReader(bytes.NewReader(magic), conn)}, info, nil
}

func (m listenMux) Clone() credentials.TransportCredentials {
	return listenMux{m.TransportCredentials.Clone(), m.handshakers}
}

// unreadConn gives back the bytes that were looked at.
type unreadConn struct {
	net.Conn
	reader io.Reader
}

func (c *unreadConn) Read(p []byte) (int, error) { return c.reader.Read(p) }

// plaintext is the absence of TLS in the form that grpc-go wants it.
type plaintext struct{}

func (plaintext) AuthType() string { return "plaintext" }

func (plaintext) ClientHandshake(_ context.Context, _ string, conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return conn, plaintext{}, nil
}

func (plaintext) ServerHandshake(conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return conn, plaintext{}, nil
}

func (plaintext) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: "plaintext"}
}

func (plaintext) Clone() credentials.TransportCredentials { return plaintext{} }
func (plaintext) OverrideServerName(string) error         { return nil }
