package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"time"

	"github.com/hashicorp/yamux"
)

func (s settings) config() *yamux.Config {
	config := yamux.DefaultConfig()
	config.LogOutput = io.Discard // That a client goes is the end of each measurement.
	if s.window > 0 {
		config.MaxStreamWindowSize = uint32(s.window)
	}
	return config
}

// connect sets TCP_NODELAY, as Go always does.
func (s settings) connect(address string) (*yamux.Session, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	if s.tls {
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) // Speed is measured, not trust.
	}
	return yamux.Client(conn, s.config())
}

func (s settings) listen(address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil || !s.tls {
		return listener, err
	}
	certificate, err := selfSigned()
	if err != nil {
		return nil, err
	}
	return tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{certificate}}), nil
}

func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		DNSNames:     []string{"localhost"},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
