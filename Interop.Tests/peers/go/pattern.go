package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
)

// pattern is an endless stream of bytes that its seed determines, the same here and in C#. Each read takes whole words, so
// only the last of a run may have a length that is no multiple of 8.
type pattern struct{ state uint64 }

func newPattern(seed int64) *pattern {
	return &pattern{uint64(seed)<<1 | 1} // Never 0, which would stay 0.
}

func (p *pattern) Read(b []byte) (int, error) {
	var word [8]byte
	for rest := b; len(rest) > 0; {
		p.state ^= p.state << 13
		p.state ^= p.state >> 7
		p.state ^= p.state << 17
		binary.LittleEndian.PutUint64(word[:], p.state)
		rest = rest[copy(rest, word[:]):]
	}
	return len(b), nil
}

// sendPattern writes the first bytes that the seed determines.
func sendPattern(to io.Writer, seed, length int64) error {
	_, err := io.CopyN(to, newPattern(seed), length)
	return err
}

func patternDigest(seed, length int64) []byte {
	digest := sha256.New()
	sendPattern(digest, seed, length)
	return digest.Sum(nil)
}

// expectPattern reads to the end, which must come after exactly these bytes.
func expectPattern(from io.Reader, seed, length int64) error {
	digest := sha256.New()
	n, err := io.Copy(digest, from)
	if err != nil {
		return fmt.Errorf("after %d of %d bytes: %w", n, length, err)
	}
	if n != length || !bytes.Equal(digest.Sum(nil), patternDigest(seed, length)) {
		return fmt.Errorf("%d bytes came instead of %d, or others", n, length)
	}
	return nil
}
