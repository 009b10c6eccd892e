package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"sort"
	"time"

	"github.com/hashicorp/yamux"
)

const warmUpBytes = 64 << 20

func bulk(session *yamux.Session, id string, s settings, streams, piece int, mib int64) error {
	if s.quick {
		mib /= 64
	}
	if s.mib > 0 {
		mib = s.mib
	}
	total := mib << 20
	warm := total
	if warm > warmUpBytes {
		warm = warmUpBytes
	}
	least, _ := s.times()
	if s.quick && s.warm < 0 {
		least = 0
	}
	for started := time.Now(); ; {
		if _, err := sendTotal(session, streams, piece, warm); err != nil {
			return err
		}
		if time.Since(started) >= least {
			break
		}
	}
	elapsed, err := sendTotal(session, streams, piece, total)
	if err == nil {
		report(id, float64(mib)/elapsed.Seconds(), "MiB/s")
	}
	return err
}

func sendTotal(session *yamux.Session, count, piece int, total int64) (time.Duration, error) {
	streams, err := openAll(session, count)
	if err != nil {
		return 0, err
	}
	started := time.Now()
	err = each(count, func(i int) error {
		share := total / int64(count)
		if int64(i) < total%int64(count) {
			share++
		}
		return sendOne(streams[i], piece, share)
	})
	elapsed := time.Since(started)
	for _, stream := range streams {
		stream.Close()
	}
	return elapsed, err
}

func sendOne(stream *yamux.Stream, piece int, total int64) error {
	header := [9]byte{'S'}
	binary.BigEndian.PutUint64(header[1:], uint64(total))
	if _, err := stream.Write(header[:]); err != nil {
		return err
	}
	if err := writeTotal(stream, make([]byte, piece), total); err != nil {
		return err
	}
	var answer [8]byte
	if _, err := io.ReadFull(stream, answer[:]); err != nil {
		return err
	}
	if received := int64(binary.BigEndian.Uint64(answer[:])); received != total {
		return fmt.Errorf("%d bytes were sent, and the server answered that it had read %d", total, received)
	}
	return nil
}

func ping(session *yamux.Session, id string, s settings, count int) error {
	streams, err := openAll(session, count)
	if err != nil {
		return err
	}
	messages := make([][64]byte, count)
	for _, stream := range streams {
		if _, err := stream.Write([]byte{'E'}); err != nil {
			return err
		}
	}
	return timed(id, s, count, func(i int) error {
		if _, err := streams[i].Write(messages[i][:]); err != nil {
			return err
		}
		_, err := io.ReadFull(streams[i], messages[i][:])
		return err
	})
}

func open(session *yamux.Session, id string, s settings, atOnce int) error {
	return timed(id, s, atOnce, func(int) error {
		stream, err := session.OpenStream()
		if err != nil {
			return err
		}
		message := [2]byte{'E', 1}
		if _, err := stream.Write(message[:]); err != nil {
			return err
		}
		if _, err := io.ReadFull(stream, message[:1]); err != nil {
			return err
		}
		return stream.Close()
	})
}

func reportLatencies(id string, measured time.Duration, perWorker [][]time.Duration) {
	var all []time.Duration
	for _, some := range perWorker {
		all = append(all, some...)
	}
	sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
	report(id, float64(len(all))/measured.Seconds(), "/s")
	for _, percent := range []int{50, 99} {
		if len(all) > 0 {
			latency := all[len(all)*percent/100]
			report(fmt.Sprintf("%s-p%d", id, percent), float64(latency.Nanoseconds())/1000, "us")
		}
	}
}
