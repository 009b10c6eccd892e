package main

import (
	"flag"
	"fmt"
	"net"
	"time"

	"github.com/hashicorp/yamux"
)

// yamuxRun is one scenario on one session.
type yamuxRun struct {
	*yamux.Session
	window  uint32
	streams int
	seed    int64
	opens   bool
}

var yamuxScenarios = map[string]func(yamuxRun) error{
	"echo":            yamuxRun.echo,
	"send":            yamuxRun.send,
	"duplex":          yamuxRun.duplex,
	"open-close":      yamuxRun.openClose,
	"close-first":     yamuxRun.closeFirst,
	"close-last":      yamuxRun.closeLast,
	"close-together":  yamuxRun.closeTogether,
	"fill":            yamuxRun.fill,
	"hold":            yamuxRun.hold,
	"ping":            yamuxRun.ping,
	"go-away-send":    yamuxRun.goAwaySend,
	"go-away-receive": yamuxRun.goAwayReceive,
	"refuse":          yamuxRun.refuse,
	"reset":           yamuxRun.reset,
	"digest":          yamuxRun.digest,
	"unfinished":      yamuxRun.unfinished,
}

// rawYamux plays one scenario on one connection, and ends with the session.
func rawYamux(args []string) error {
	flags := flag.NewFlagSet("yamux", flag.ExitOnError)
	role := flags.String("role", "server", "yamux role, client or server, whoever listens for TCP")
	connect := flags.String("connect", "", "where to connect to, instead of listening for one connection")
	name := flags.String("scenario", "echo", "what to play")
	window := flags.Uint("window", 256<<10, "MaxStreamWindowSize")
	backlog := flags.Int("backlog", 256, "AcceptBacklog")
	streams := flags.Int("streams", 1, "how many streams to open")
	seed := flags.Int64("seed", 1, "seed of sizes and contents")
	opens := flags.Bool("opens", false, "open the stream of a half-close scenario rather than accept it")
	flags.Parse(args)

	scenario := yamuxScenarios[*name]
	if scenario == nil {
		return fmt.Errorf("no scenario %q", *name)
	}
	conn, err := listenOrConnect(*connect)
	if err != nil {
		return err
	}
	newSession := yamux.Server
	if *role == "client" {
		newSession = yamux.Client
	}
	session, err := newSession(conn, yamuxConfig(*backlog, uint32(*window)))
	if err != nil {
		return err
	}
	go func() {
		awaitEndOfInput()
		session.Close()
	}()
	if err := scenario(yamuxRun{session, uint32(*window), *streams, *seed, *opens}); err != nil {
		return err
	}
	<-session.CloseChan()
	say("ended")
	return nil
}

func listenOrConnect(address string) (net.Conn, error) {
	if address != "" {
		return net.Dial("tcp", address)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	say("listening on %s", listener.Addr())
	go func() {
		awaitEndOfInput()
		listener.Close()
	}()
	return listener.Accept()
}

// awaitNoStreams returns when every stream has been closed by both ends. This yamux tells of it in no other way.
func (r yamuxRun) awaitNoStreams() error {
	for r.NumStreams() > 0 {
		if r.IsClosed() {
			return fmt.Errorf("the session ended with %d streams open", r.NumStreams())
		}
		time.Sleep(time.Millisecond)
	}
	return nil
}

func (r yamuxRun) ping() error {
	results := make(chan error, 100)
	for i := 0; i < cap(results); i++ {
		go func() {
			_, err := r.Ping()
			results <- err
		}()
	}
	for i := 0; i < cap(results); i++ {
		if err := <-results; err != nil {
			return err
		}
	}
	say("ok ping %d", cap(results))
	return nil
}

// goAwaySend refuses new streams while the one that is open goes on. The byte that it sends comes after the go away.
func (r yamuxRun) goAwaySend() error {
	stream, err := r.AcceptStream()
	if err != nil {
		return err
	}
	if err := r.GoAway(); err != nil {
		return err
	}
	if _, err := stream.Write([]byte{1}); err != nil {
		return err
	}
	_, err = echoStream(stream)
	return err
}

// goAwayReceive expects the far end to have sent its go away before its byte.
func (r yamuxRun) goAwayReceive() error {
	stream, err := r.OpenStream()
	if err != nil {
		return err
	}
	if _, err := stream.Read(make([]byte, 1)); err != nil {
		return err
	}
	if _, err := r.OpenStream(); err != yamux.ErrRemoteGoAway {
		return fmt.Errorf("open after the far end's go away: %v", err)
	}
	say("refused")
	_, err = echoStream(stream)
	return err
}

// refuse never accepts, so that what exceeds the backlog is reset.
func (r yamuxRun) refuse() error {
	return nil
}

// reset expects the far end to abort the stream that we read.
func (r yamuxRun) reset() error {
	stream, err := r.AcceptStream()
	if err != nil {
		return err
	}
	if _, err := stream.Write([]byte{1}); err != nil {
		return err
	}
	if _, err := stream.Read(make([]byte, 1)); err != yamux.ErrConnectionReset {
		return fmt.Errorf("read of an aborted stream: %v", err)
	}
	say("reset")
	return r.awaitNoStreams()
}
