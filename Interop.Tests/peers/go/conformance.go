package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/hashicorp/yamux"
)

const (
	refusedLimit = 30 * time.Second
	refusedPause = 100 * time.Millisecond
)

// conformance is a target for a tool that tests yamux peers: on connection after connection it echoes what streams the
// far end opens. Nothing that is done to one connection ends the program.
func conformance(args []string) error {
	config := yamux.DefaultConfig()
	config.LogOutput = errorLines{}
	flags := flag.NewFlagSet("conformance", flag.ExitOnError)
	listen := flags.String("listen", "", "where to listen, as the yamux server")
	connect := flags.String("connect", "", "where to dial again and again, as the yamux client")
	flags.BoolVar(&config.EnableKeepAlive, "keepalive", false, "EnableKeepAlive")
	flags.DurationVar(&config.KeepAliveInterval, "keepalive-interval", config.KeepAliveInterval, "KeepAliveInterval")
	flags.DurationVar(&config.ConnectionWriteTimeout, "write-timeout", config.ConnectionWriteTimeout, "ConnectionWriteTimeout")
	flags.IntVar(&config.AcceptBacklog, "backlog", config.AcceptBacklog, "AcceptBacklog")
	window := flags.Uint("window", uint(config.MaxStreamWindowSize), "MaxStreamWindowSize")
	flags.Parse(args)
	config.MaxStreamWindowSize = uint32(*window)

	if (*listen == "") == (*connect == "") {
		return errors.New("conformance wants either -listen or -connect")
	}
	if err := yamux.VerifyConfig(config); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() {
		awaitEndOfInput()
		ended <- nil
	}()
	go func() {
		if *listen != "" {
			ended <- echoWhoeverConnects(*listen, config)
		} else {
			ended <- echoWhoeverListens(*connect, config)
		}
	}()
	return <-ended
}

func echoWhoeverConnects(address string, config *yamux.Config) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	say("listening on %s", listener.Addr())
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go echoConnection(conn, config, yamux.Server)
	}
}

// echoWhoeverListens ends well when a listener that was there is gone.
func echoWhoeverListens(address string, config *yamux.Config) error {
	connections, refusedSince := 0, time.Now()
	for {
		conn, err := dial(address)
		if err == nil {
			connections++
			echoConnection(conn, config, yamux.Client)
			refusedSince = time.Now()
			continue
		}
		// A listener that closes resets what waits in its queue; that too is one that is gone, or about to be.
		if !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, syscall.ECONNRESET) {
			return err
		}
		if time.Since(refusedSince) >= refusedLimit {
			if connections == 0 {
				return fmt.Errorf("nobody listened within %v: %w", refusedLimit, err)
			}
			say("ended after %d connections", connections)
			return nil
		}
		time.Sleep(refusedPause)
	}
}

// dial takes for refused a connection to itself, which loopback makes of an ephemeral port on which nobody listens.
func dial(address string) (net.Conn, error) {
	conn, err := net.Dial("tcp", address)
	if err == nil && conn.LocalAddr().String() == conn.RemoteAddr().String() {
		conn.Close()
		return nil, syscall.ECONNREFUSED
	}
	return conn, err
}

// echoConnection returns when the session has ended.
func echoConnection(conn net.Conn, config *yamux.Config, newSession func(io.ReadWriteCloser, *yamux.Config) (*yamux.Session, error)) {
	session, err := newSession(conn, config)
	if err != nil {
		complain(conn, err)
		conn.Close()
		return
	}
	// Not after the accepting, which hangs for ever if the far end exceeds the window of a stream before it is accepted:
	// this yamux then ends the session with that stream's lock held.
	go echoStreams(conn, session)
	<-session.CloseChan()
}

func echoStreams(conn net.Conn, session *yamux.Session) {
	defer session.Close()
	for {
		stream, err := session.AcceptStream()
		if err != nil {
			if err != io.EOF {
				complain(conn, err)
			}
			return
		}
		go func() {
			// After a failure too: this yamux keeps a stream until both ends have closed it.
			defer stream.Close()
			if _, err := echoStream(stream); err != nil {
				complain(conn, fmt.Errorf("echo of stream %d: %w", stream.StreamID(), err))
			}
		}()
	}
}

func complain(conn net.Conn, err error) {
	fmt.Fprintf(os.Stderr, "%s: %v\n", conn.RemoteAddr(), err)
}

// errorLines leaves out yamux's warnings, of which a far end can cause one with every frame.
type errorLines struct{}

func (errorLines) Write(line []byte) (int, error) {
	if !bytes.Contains(line, []byte("[ERR]")) {
		return len(line), nil
	}
	return os.Stderr.Write(line)
}
