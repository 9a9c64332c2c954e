package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
)

// The site is at the address that serve prints, until it is interrupted; then the exit code is the documented one.
func TestServe(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, w := io.Pipe()
	var errs bytes.Buffer
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, []string{"serve", "--listen", "127.0.0.1:0"}, streams{strings.NewReader(""), w, &errs}, os.Getenv)
		w.Close()
	}()
	line, err := bufio.NewReader(r).ReadString('\n')
	address := regexp.MustCompile(`http://127\.0\.0\.1:\d+/`).FindString(line)
	if err != nil || address == "" {
		t.Fatalf("serve prints %q (%v), which has no address", line, err)
	}
	resp, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("status %d, want 200", resp.StatusCode)
	}
	cancel()
	if got := <-code; got != exitInterrupted || errs.Len() > 0 {
		t.Errorf("exit code %d, stderr %q; want 130 and nothing", got, errs.String())
	}
}

// A port that somebody has is the machine's fault, and the way out is said.
func TestServeTaken(t *testing.T) {
	l := listenAt(t)
	code, stdout, stderr := call(t.Context(), nil, "serve", "--listen", l)
	if code != exitEnvironment || stdout != "" || !strings.Contains(stderr, "127.0.0.1:0 takes a port that is free") {
		t.Errorf("exit code %d, stdout %q, stderr %q; want 3 and the way out", code, stdout, stderr)
	}
}

// listenAt returns an address that is taken for the length of the test.
func listenAt(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln.Addr().String()
}
