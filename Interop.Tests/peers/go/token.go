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
	bearerScheme     = "Bearer"
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

// errNoToken is what has not even the form of a token.
var errNoToken = errors.New("not of the form VERSION.HMAC.TIME")

func verifyToken(secret, token string, now int64) error {
	parts := strings.SplitN(token, ".", 3)
	if len(parts) != 3 {
		return errNoToken
	}
	version, issued := parts[0], parts[2]
	signature, err := hex.DecodeString(parts[1])
	if err != nil {
		return errNoToken
	}
	if version != "v2" {
		return fmt.Errorf("of version %q", version)
	}
	if !hmac.Equal(signature, signTime(secret, issued)) {
		return errors.New("made with another secret")
	}
	made, err := strconv.ParseInt(issued, 10, 64)
	if err != nil {
		return err
	}
	if age := now - made; age > tokenTolerance || age < -tokenTolerance {
		return fmt.Errorf("made %d s ago", age)
	}
	return nil
}

// requireTokens lets in who knows the secret; an empty one lets all in.
func requireTokens(secret string) []grpc.ServerOption {
	if secret == "" {
		return nil
	}
	return []grpc.ServerOption{
		grpc.UnaryInterceptor(func(ctx context.Context, request interface{}, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (interface{}, error) {
			if err := authenticate(ctx, secret); err != nil {
				return nil, err
			}
			return handle(ctx, request)
		}),
		grpc.StreamInterceptor(func(service interface{}, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
			if err := authenticate(stream.Context(), secret); err != nil {
				return err
			}
			return handle(service, stream)
		}),
	}
}

// authenticate looks at the first token of a call.
func authenticate(ctx context.Context, secret string) error {
	incoming, _ := metadata.FromIncomingContext(ctx)
	values := append(incoming.Get(authorizationKey), "")
	err := errNoToken
	if words := strings.SplitN(values[0], " ", 2); len(words) == 2 && strings.EqualFold(words[0], bearerScheme) {
		err = verifyToken(secret, words[1], time.Now().Unix())
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errNoToken):
		return status.Error(codes.Unauthenticated, "authentication required")
	default:
		return status.Error(codes.PermissionDenied, "permission denied")
	}
}

// tokenCredentials gives each call a fresh token of the secret, on connections without TLS too.
type tokenCredentials string

func (c tokenCredentials) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{authorizationKey: bearerScheme + " " + newToken(string(c), time.Now().Unix())}, nil
}

func (tokenCredentials) RequireTransportSecurity() bool { return false }
