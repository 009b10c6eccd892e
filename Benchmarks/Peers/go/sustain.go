package main

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/hashicorp/yamux"
)

// sustain sends without end, and reports what it is rid of in a second once it has come to speed.
func sustain(session *yamux.Session, id string, s settings) error {
	if s.warm < 0 {
		s.warm = 1
	}
	if s.seconds == 0 {
		s.seconds = 1
	}
	warm, measured := s.times()
	stream, err := session.OpenStream()
	if err != nil {
		return err
	}
	header := [9]byte{'S'}
	binary.BigEndian.PutUint64(header[1:], math.MaxInt64)
	if _, err := stream.Write(header[:]); err != nil {
		return err
	}
	if _, err := sendFor(stream, warm); err != nil {
		return err
	}
	started := time.Now()
	bytes, err := sendFor(stream, measured)
	if err == nil {
		report(id, float64(bytes)/time.Since(started).Seconds()/(1<<20), "MiB/s")
	}
	return err
}

func sendFor(stream *yamux.Stream, duration time.Duration) (int64, error) {
	piece := make([]byte, largestPiece)
	var bytes int64
	for started := time.Now(); ; {
		if _, err := stream.Write(piece); err != nil {
			return 0, err
		}
		bytes += int64(len(piece))
		if time.Since(started) >= duration {
			return bytes, nil
		}
	}
}
