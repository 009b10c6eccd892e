package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math"
	"math/rand"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/yamux"
)

const largestPayload = 8 << 20

// echo sends back what comes on each stream that the far end opens, until the session ends.
func (r yamuxRun) echo() error {
	var group sync.WaitGroup
	var streams, bytes int64
	for {
		stream, err := r.AcceptStream()
		if err != nil {
			break
		}
		group.Add(1)
		go func() {
			defer group.Done()
			n, err := echoStream(stream)
			if err != nil {
				say("fail: echo of stream %d: %v", stream.StreamID(), err)
				return
			}
			atomic.AddInt64(&streams, 1)
			atomic.AddInt64(&bytes, n)
		}()
	}
	group.Wait()
	say("echoed %d %d", streams, bytes)
	return nil
}

func echoStream(stream *yamux.Stream) (int64, error) {
	n, err := io.Copy(stream, stream)
	if err == nil {
		err = stream.Close()
	}
	return n, err
}

// send opens all its streams at once, expects back on each what it sent, and then that all have ended.
func (r yamuxRun) send() error {
	if err := r.sendAll(); err != nil {
		return err
	}
	if err := r.awaitNoStreams(); err != nil {
		return err
	}
	say("ok send %d", r.streams)
	return nil
}

func (r yamuxRun) sendAll() error {
	results := make(chan error, r.streams)
	for i := 0; i < r.streams; i++ {
		go func(index int) { results <- r.sendOne(index) }(i)
	}
	for i := 0; i < r.streams; i++ {
		if err := <-results; err != nil {
			return err
		}
	}
	return nil
}

func (r yamuxRun) sendOne(index int) error {
	random := rand.New(rand.NewSource(r.seed*100003 + int64(index)))
	size := payloadSize(random, index)
	stream, err := r.OpenStream()
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	sent := make(chan error, 1)
	want, got := sha256.New(), sha256.New()
	go func() {
		sent <- writeRandom(io.MultiWriter(stream, want), random, size)
	}()
	// This yamux cannot read what comes after its own FIN, so the FIN is last.
	if _, err := io.CopyN(got, stream, int64(size)); err != nil {
		return fmt.Errorf("stream %d of %d bytes: read: %w", stream.StreamID(), size, err)
	}
	if err := <-sent; err != nil {
		return fmt.Errorf("stream %d of %d bytes: write: %w", stream.StreamID(), size, err)
	}
	if string(got.Sum(nil)) != string(want.Sum(nil)) {
		return fmt.Errorf("stream %d: %d bytes came back changed", stream.StreamID(), size)
	}
	return stream.Close()
}

// duplex does both at once.
func (r yamuxRun) duplex() error {
	sent := make(chan error, 1)
	go func() {
		err := r.sendAll()
		if err == nil {
			say("ok send %d", r.streams)
		}
		sent <- err
	}()
	if err := r.echo(); err != nil {
		return err
	}
	return <-sent
}

// openClose opens streams one after the other and closes each at once: the far end must acknowledge each all the same.
func (r yamuxRun) openClose() error {
	for i := 0; i < r.streams; i++ {
		stream, err := r.OpenStream()
		if err != nil {
			return err
		}
		if err := stream.Close(); err != nil {
			return err
		}
	}
	if err := r.awaitNoStreams(); err != nil {
		return err
	}
	say("ok open-close %d", r.streams)
	return nil
}

// payloadSize begins with the largest, none and one; then come all orders of magnitude, the small more often.
func payloadSize(random *rand.Rand, index int) int {
	switch index {
	case 0:
		return largestPayload
	case 1, 2:
		return index - 1
	}
	return int(math.Pow(largestPayload, math.Pow(random.Float64(), 3)))
}

// writeRandom writes in pieces of random sizes.
func writeRandom(to io.Writer, random *rand.Rand, size int) error {
	piece := make([]byte, 128<<10)
	for size > 0 {
		n := 1 + random.Intn(len(piece))
		if n > size {
			n = size
		}
		random.Read(piece[:n])
		if _, err := to.Write(piece[:n]); err != nil {
			return err
		}
		size -= n
	}
	return nil
}
