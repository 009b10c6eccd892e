package main

import "time"

// sidechannelIDKey is where a call says which sidechannel is its own.
const sidechannelIDKey = "gitaly-sidechannel-id"

// sidechannelAccepted is the caller's answer to an id that it knows.
const sidechannelAccepted = "ok"

// sidechannelPatience bounds the whole handshake at the handler's end, and the answer at the caller's.
const sidechannelPatience = 5 * time.Second

// Each piece of the caller's bytes goes behind four hexadecimal digits, its length with them counted in. That is how the
// caller can end its bytes and still read: closing a yamux stream would end both for it.
const (
	packetHeaderSize = 4
	maxPacketSize    = 65520
	maxPacketPayload = maxPacketSize - packetHeaderSize
	packetEnd        = "0000"
)
