package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
)

var errCallbackDidNotRun = errors.New("sidechannel: callback did not run")

// sidechannels are those that a caller offers to the handlers of its calls, by id from 0.
type sidechannels struct {
	lock    sync.Mutex
	next    int64
	waiting map[int64]*sidechannelWaiter
}

// sidechannelWaiter is offered for one call, and is opened once or never.
type sidechannelWaiter struct {
	owner    *sidechannels
	id       int64
	callback func(conn *callerConn) error
	done     chan struct{}
	err      error // of the callback, when done
}

func newSidechannels() *sidechannels {
	return &sidechannels{waiting: map[int64]*sidechannelWaiter{}}
}

func (s *sidechannels) register(callback func(conn *callerConn) error) *sidechannelWaiter {
	s.lock.Lock()
	defer s.lock.Unlock()
	w := &sidechannelWaiter{owner: s, id: s.next, callback: callback, done: make(chan struct{})}
	s.next++
	s.waiting[w.id] = w
	return w
}

// take gives the waiter to whoever asks first: the handler that opens it, or its caller that takes it back.
func (s *sidechannels) take(id int64) *sidechannelWaiter {
	s.lock.Lock()
	defer s.lock.Unlock()
	w := s.waiting[id]
	delete(s.waiting, id)
	return w
}

// handshake serves a stream that said "sidechannel". When it fails, gRPC closes the stream.
func (s *sidechannels) handshake(conn net.Conn, _ credentials.AuthInfo) (net.Conn, credentials.AuthInfo, error) {
	var id int64
	if err := binary.Read(conn, binary.BigEndian, &id); err != nil {
		return nil, nil, err
	}
	w := s.take(id)
	if w == nil {
		return nil, nil, fmt.Errorf("sidechannel: nobody waits for id %d", id)
	}
	go w.run(conn)
	return nil, nil, credentials.ErrConnDispatched
}

func (w *sidechannelWaiter) run(conn net.Conn) {
	defer close(w.done)
	defer conn.Close()
	if w.err = accept(conn); w.err == nil {
		w.err = w.callback(&callerConn{Conn: conn})
	}
}

func accept(conn net.Conn) error {
	if err := conn.SetWriteDeadline(time.Now().Add(sidechannelPatience)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, sidechannelAccepted); err != nil {
		return err
	}
	return conn.SetWriteDeadline(time.Time{})
}

// outgoing is the context of the call that the sidechannel is for.
func (w *sidechannelWaiter) outgoing(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, sidechannelIDKey, strconv.FormatInt(w.id, 10))
}

// close is for when the call has ended: it waits for a callback that runs, and returns its error. The second time too.
func (w *sidechannelWaiter) close() error {
	if w.owner.take(w.id) != nil {
		w.err = errCallbackDidNotRun
		close(w.done)
	}
	<-w.done
	return w.err
}

// callerConn is the caller's end. Reading is raw, and ends when the handler closes.
type callerConn struct {
	net.Conn
	ended bool
}

func (c *callerConn) Write(p []byte) (int, error) {
	if c.ended {
		return 0, errors.New("sidechannel: written to after its end")
	}
	written := 0
	for written < len(p) {
		piece := p[written:]
		if len(piece) > maxPacketPayload {
			piece = piece[:maxPacketPayload]
		}
		// In a write of its own, hence in a frame of its own.
		if _, err := fmt.Fprintf(c.Conn, "%04x", packetHeaderSize+len(piece)); err != nil {
			return written, err
		}
		if _, err := c.Conn.Write(piece); err != nil {
			return written, err
		}
		written += len(piece)
	}
	return written, nil
}

// CloseWrite ends what the handler reads.
func (c *callerConn) CloseWrite() error {
	if c.ended {
		return nil
	}
	c.ended = true
	_, err := io.WriteString(c.Conn, packetEnd)
	return err
}
