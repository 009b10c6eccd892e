package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/hashicorp/yamux"
)

const largestPiece = 64 << 10

var pieces = sync.Pool{New: func() interface{} { return new([largestPiece]byte) }}

func serve(address string, s settings, whileInput bool) error {
	listener, err := s.listen(address)
	if err != nil {
		return err
	}
	fmt.Println("listening on", listener.Addr())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		os.Exit(0)
	}()
	if whileInput {
		go func() {
			io.Copy(io.Discard, os.Stdin)
			os.Exit(0)
		}()
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		session, err := yamux.Server(conn, s.config())
		if err != nil {
			return err
		}
		go serveSession(session)
	}
}

func serveSession(session *yamux.Session) {
	for {
		stream, err := session.AcceptStream()
		if err != nil {
			return
		}
		go serveStream(stream)
	}
}

// serveStream leaves errors alone: that the client goes is the end of each measurement.
func serveStream(stream *yamux.Stream) {
	defer stream.Close()
	var command [1]byte
	if _, err := io.ReadFull(stream, command[:]); err != nil {
		return
	}
	switch command[0] {
	case 'S':
		receive(stream)
	case 'G':
		send(stream)
	case 'E':
		echo(stream)
	case 'I':
		io.Copy(io.Discard, stream)
	}
}

func receive(stream *yamux.Stream) {
	var count [8]byte
	if _, err := io.ReadFull(stream, count[:]); err != nil {
		return
	}
	piece := pieces.Get().(*[largestPiece]byte)
	defer pieces.Put(piece)
	for left := int64(binary.BigEndian.Uint64(count[:])); left > 0; {
		buffer := piece[:]
		if left < largestPiece {
			buffer = buffer[:left]
		}
		n, err := stream.Read(buffer)
		if err != nil {
			return
		}
		left -= int64(n)
	}
	stream.Write(count[:])
}

func send(stream *yamux.Stream) {
	var count [8]byte
	if _, err := io.ReadFull(stream, count[:]); err != nil {
		return
	}
	piece := pieces.Get().(*[largestPiece]byte)
	defer pieces.Put(piece)
	writeTotal(stream, piece[:], int64(binary.BigEndian.Uint64(count[:])))
}

func echo(stream *yamux.Stream) {
	piece := pieces.Get().(*[largestPiece]byte)
	defer pieces.Put(piece)
	for {
		n, err := stream.Read(piece[:])
		if err != nil {
			return
		}
		if _, err := stream.Write(piece[:n]); err != nil {
			return
		}
	}
}

func writeTotal(stream *yamux.Stream, piece []byte, total int64) error {
	for total > 0 {
		if total < int64(len(piece)) {
			piece = piece[:total]
		}
		n, err := stream.Write(piece)
		if err != nil {
			return err
		}
		total -= int64(n)
	}
	return nil
}
