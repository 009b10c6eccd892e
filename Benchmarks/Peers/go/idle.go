package main

import (
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/yamux"
)

const warmUpStreams = 100

// idle reports what each stream on which nothing happens takes of the client's memory.
func idle(session *yamux.Session, id string, s settings) error {
	count := 10000
	if s.streams > 0 {
		count = s.streams
	}
	kept := make([]*yamux.Stream, warmUpStreams+count)
	if err := openIdle(session, kept[:warmUpStreams]); err != nil {
		return err
	}
	memory, resident := liveMemory()
	if err := openIdle(session, kept[warmUpStreams:]); err != nil {
		return err
	}
	memoryNow, residentNow := liveMemory()
	runtime.KeepAlive(kept)
	report(id, float64(memoryNow-memory)/float64(count), "B")
	report(id+"-rss", float64(residentNow-resident)/float64(count), "B")
	return nil
}

func openIdle(session *yamux.Session, kept []*yamux.Stream) error {
	for i := range kept {
		stream, err := session.OpenStream()
		if err != nil {
			return err
		}
		if _, err := stream.Write([]byte{'I'}); err != nil {
			return err
		}
		kept[i] = stream
	}
	// The server has taken all of them by the time it answers on another.
	last, err := session.OpenStream()
	if err != nil {
		return err
	}
	message := []byte{'E', 1}
	if _, err := last.Write(message); err != nil {
		return err
	}
	if _, err := io.ReadFull(last, message[:1]); err != nil {
		return err
	}
	err = last.Close()
	time.Sleep(100 * time.Millisecond)
	return err
}

func liveMemory() (live, resident int64) {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	statm, _ := os.ReadFile("/proc/self/statm")
	if fields := strings.Fields(string(statm)); len(fields) > 1 {
		pages, _ := strconv.ParseInt(fields[1], 10, 64)
		resident = pages * int64(os.Getpagesize())
	}
	return int64(stats.HeapAlloc + stats.StackInuse), resident
}
