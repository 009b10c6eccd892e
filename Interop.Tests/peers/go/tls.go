package main

import (
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"os"

	"google.golang.org/grpc/credentials"
)

// tlsFlags are the certificate files of either side.
type tlsFlags struct {
	cert, key, ca *string
}

func addTLSFlags(flags *flag.FlagSet) tlsFlags {
	return tlsFlags{
		cert: flags.String("cert", "", "own certificate, PEM"),
		key:  flags.String("key", "", "key of the certificate, PEM"),
		ca:   flags.String("ca", "", "certificate that the far end's must be signed by, PEM"),
	}
}

func (f tlsFlags) credentials() (credentials.TransportCredentials, error) {
	if *f.cert == "" && *f.ca == "" {
		return plaintext{}, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2"}}
	if *f.cert != "" {
		pair, err := tls.LoadX509KeyPair(*f.cert, *f.key)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	if *f.ca != "" {
		pem, err := os.ReadFile(*f.ca)
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("no certificate in %s", *f.ca)
		}
		config.RootCAs, config.ClientCAs = pool, pool
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return credentials.NewTLS(config), nil
}
