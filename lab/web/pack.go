package web

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// pack returns a text in a form that fits an address: deflated (RFC 1951), in base64 for URLs (RFC 4648 §5).
func pack(text string) string {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		panic(err) // the level is constant and good
	}
	_, _ = w.Write([]byte(text)) // into memory
	_ = w.Close()
	return base64.RawURLEncoding.EncodeToString(b.Bytes())
}

// unpack is the reverse of pack. It reads no more than a scenario may have.
func unpack(packed string) (string, error) {
	if len(packed) > maxPacked {
		return "", fmt.Errorf("it has %d bytes; %d are the most", len(packed), maxPacked)
	}
	data, err := base64.RawURLEncoding.DecodeString(packed)
	if err != nil {
		return "", errors.New("it isn't base64")
	}
	r := flate.NewReader(bytes.NewReader(data))
	text, err := io.ReadAll(io.LimitReader(r, maxText+1))
	switch {
	case err != nil:
		return "", errors.New("it isn't compressed as this site does it")
	case len(text) > maxText:
		return "", fmt.Errorf("it has more than %d bytes", maxText)
	case !utf8.Valid(text):
		return "", errors.New("it isn't UTF-8")
	}
	return string(text), nil
}
