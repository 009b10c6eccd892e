package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

const (
	authorizationKey = "authorization"
	bearerScheme     = "Bearer "
	tokenTolerance   = 30
)

// token prints the token of a secret and a time, or says whether a token is one.
func token(args []string) error {
	flags := flag.NewFlagSet("token", flag.ExitOnError)
	secret := flags.String("secret", "", "the shared secret")
	seconds := flags.Int64("time", 0, "seconds since 1970")
	verify := flags.String("verify", "", "a token to verify at that time, instead of making one")
	flags.Parse(args)
	if *verify != "" {
		if err := verifyToken(*secret, *verify, *seconds); err != nil {
			return err
		}
		say("ok")
		return nil
	}
	say("token %s", newToken(*secret, *seconds))
	return nil
}

func newToken(secret string, seconds int64) string {
	issued := strconv.FormatInt(seconds, 10)
	return "v2." + hex.EncodeToString(signTime(secret, issued)) + "." + issued
}

func signTime(secret, issued string) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(issued))
	return mac.Sum(nil)
}

func verifyToken(secret, token string, now int64) error {
	parts := strings.Split(token, ".")
	if len(parts) != 3 || parts[0] != "v2" {
		return errors.New("not of the form v2.HMAC.TIME")
	}
	signature, err := hex.DecodeString(parts[1])
	if err != nil {
		return err
	}
	if !hmac.Equal(signature, signTime(secret, parts[2])) {
		return errors.New("made with another secret")
	}
	issued, err := strconv.ParseInt(parts[2], 10, 64)
	if err != nil {
		return err
	}
	if age := now - issued; age > tokenTolerance || age < -tokenTolerance {
		return fmt.Errorf("made %d s ago", age)
	}
	return nil
}

// requireToken lets in who knows the secret; an empty one lets all in.
func requireToken(secret string) grpc.ServerOption {
	return grpc.UnaryInterceptor(func(ctx context.Context, request interface{}, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (interface{}, error) {
		if secret != "" {
			incoming, _ := metadata.FromIncomingContext(ctx)
			values := incoming.Get(authorizationKey)
			if len(values) != 1 || !strings.HasPrefix(values[0], bearerScheme) {
				return nil, status.Error(codes.Unauthenticated, "authentication required")
			}
			if err := verifyToken(secret, values[0][len(bearerScheme):], time.Now().Unix()); err != nil {
				return nil, status.Error(codes.PermissionDenied, "permission denied")
			}
		}
		return handle(ctx, request)
	})
}

// withToken adds a fresh token to a call, if there is a secret.
func withToken(ctx context.Context, secret string) context.Context {
	if secret == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, authorizationKey, bearerScheme+newToken(secret, time.Now().Unix()))
}
