package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand"

	"github.com/hashicorp/yamux"
)

// Less than the smallest window: it can be sent whole before anybody reads.
const halfClosePayload = 200 << 10

func (r yamuxRun) openOrAccept() (*yamux.Stream, error) {
	if r.opens {
		return r.OpenStream()
	}
	return r.AcceptStream()
}

// closeFirst sends, ends, and then receives what the far end sends after that.
func (r yamuxRun) closeFirst() error {
	stream, err := r.openOrAccept()
	if err != nil {
		return err
	}
	if err := r.sendAndClose(stream); err != nil {
		return err
	}
	// Until the far end's FIN has come, this yamux takes a read after its own FIN for the end.
	if err := r.awaitNoStreams(); err != nil {
		return err
	}
	return sayDigest(stream)
}

// closeLast receives to the end, and then sends.
func (r yamuxRun) closeLast() error {
	stream, err := r.openOrAccept()
	if err != nil {
		return err
	}
	// An accepted stream has been acknowledged; one that we opened is known to the far end.
	if err := sayDigest(stream); err != nil {
		return err
	}
	return r.sendAndClose(stream)
}

// closeTogether sends and ends without looking at what the far end does, which does the same.
func (r yamuxRun) closeTogether() error {
	return r.closeFirst()
}

func (r yamuxRun) sendAndClose(stream *yamux.Stream) error {
	digest := sha256.New()
	if err := writeRandom(io.MultiWriter(stream, digest), rand.New(rand.NewSource(r.seed)), halfClosePayload); err != nil {
		return err
	}
	say("sent %d %x", halfClosePayload, digest.Sum(nil))
	return stream.Close()
}

// digest receives each stream to its end.
func (r yamuxRun) digest() error {
	for {
		stream, err := r.AcceptStream()
		if err != nil {
			return nil
		}
		if err := sayDigest(stream); err != nil {
			return err
		}
		stream.Close()
	}
}

// sayDigest reads to the end, also of a session that has ended: then this yamux hands out what it has received, but
// says each time that it cannot send credit for it.
func sayDigest(stream io.Reader) error {
	digest, total, buffer := sha256.New(), 0, make([]byte, 32<<10)
	for {
		n, err := stream.Read(buffer)
		digest.Write(buffer[:n])
		total += n
		if err == io.EOF {
			say("received %d %x", total, digest.Sum(nil))
			return nil
		}
		if err != nil && (n == 0 || err != yamux.ErrSessionShutdown) {
			return err
		}
	}
}

// fill writes a whole window in one piece, hence one frame, while nobody reads; then as much again, once somebody does.
func (r yamuxRun) fill() error {
	stream, err := r.OpenStream()
	if err != nil {
		return err
	}
	if _, err := stream.Read(make([]byte, 1)); err != nil {
		return err
	}
	digest, window := sha256.New(), make([]byte, r.window)
	random := rand.New(rand.NewSource(r.seed))
	for i := 0; i < 2; i++ {
		random.Read(window)
		digest.Write(window)
		if _, err := stream.Write(window); err != nil {
			return err
		}
		say("wrote %d", (i+1)*len(window))
	}
	say("sent %d %x", 2*len(window), digest.Sum(nil))
	if err := stream.Close(); err != nil {
		return err
	}
	return r.awaitNoStreams()
}

// hold does not read its first stream until there is a second one.
func (r yamuxRun) hold() error {
	stream, err := r.AcceptStream()
	if err != nil {
		return err
	}
	if _, err := stream.Write([]byte{1}); err != nil {
		return err
	}
	if _, err := r.AcceptStream(); err != nil {
		return err
	}
	return sayDigest(stream)
}

// unfinished sends a part of something, and then nothing until it is killed.
func (r yamuxRun) unfinished() error {
	stream, err := r.AcceptStream()
	if err != nil {
		return err
	}
	if _, err := stream.Write(make([]byte, 1000)); err != nil {
		return err
	}
	if _, err := stream.Read(make([]byte, 1)); err != nil {
		return err
	}
	return fmt.Errorf("more came than expected")
}
