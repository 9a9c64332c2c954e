package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/edgelab/edgelab/scenarios"
)

// A sweep that is interrupted reports what it has made, ends with 130, and can be gone on with.
func TestSweepInterrupted(t *testing.T) {
	folder := t.TempDir()
	file, part := filepath.Join(folder, "contoso.yaml"), filepath.Join(folder, "part.json")
	text, err := scenarios.Text("source-deployment")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out bytes.Buffer
	watch := &watcher{seen: regexp.MustCompile(`\d+ of 48 legs`), then: cancel}
	p := newPrinter(streams{nil, &out, watch}, func(string) string { return "" })
	p.terminal = func(stream any) bool { return stream == any(watch) }
	args := []string{"sweep", file, "--products", "aol-pic,prosody-13", "--elements", "eku,chain,cdp", "--parallel", "1", "--format", "json", "-o", part}
	if code := exitCode(dispatch(ctx, args, p)); code != exitInterrupted {
		t.Fatalf("exit code %d, want %d; %s", code, exitInterrupted, watch.text.String())
	}
	if !strings.Contains(out.String(), "Incomplete: ") {
		t.Errorf("the screen doesn't say that the sweep is incomplete:\n%s", out.String())
	}
	if want := "go on with --resume " + part; !strings.Contains(watch.text.String(), want) {
		t.Errorf("nothing says %q:\n%s", want, watch.text.String())
	}
	var got struct {
		Complete bool
		Rows     []struct{ Verdict, Fault string }
	}
	if text, err = os.ReadFile(part); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if got.Complete || len(got.Rows) == 0 || len(got.Rows) >= 48 {
		t.Errorf("complete %v, %d rows", got.Complete, len(got.Rows))
	}
	for _, r := range got.Rows {
		if r.Fault != "" {
			t.Errorf("a leg that was cut off is reported: %+v", r)
		}
	}

	out.Reset()
	p = newPrinter(streams{nil, &out, &bytes.Buffer{}}, func(string) string { return "" })
	if code := exitCode(dispatch(t.Context(), append(args, "--resume", part), p)); code != exitOK {
		t.Fatalf("resumed: exit code %d", code)
	}
	if !strings.Contains(out.String(), "\n48 legs: ") {
		t.Errorf("resumed, the screen doesn't tell of 48 legs:\n%s", out.String())
	}
}

// A watcher calls then when it has seen something.
type watcher struct {
	text bytes.Buffer
	seen *regexp.Regexp
	then func()
}

func (w *watcher) Write(b []byte) (int, error) {
	if w.seen.Match(b) {
		w.then()
	}
	return w.text.Write(b)
}

// The time left follows from what was made since the total was first heard of.
func TestPace(t *testing.T) {
	var p pace
	at := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		after       time.Duration
		done, total int
		left        time.Duration
		show        bool
	}{
		{0, 1, 16, 0, true},
		{50 * time.Millisecond, 2, 16, 0, false},             // too soon to say again
		{60 * time.Millisecond, 16, 16, 0, true},             // the last is always said
		{1 * time.Second, 100, 1000, 0, true},                // a new total: 100 are there already
		{5 * time.Second, 300, 1000, 14 * time.Second, true}, // 200 in 4 s, 700 to go
		{5*time.Second + 20*time.Millisecond, 301, 1000, 0, false},
		{9 * time.Second, 1000, 1000, 0, true},
	} {
		left, show := p.next(at.Add(tt.after), tt.done, tt.total)
		if left != tt.left || show != tt.show {
			t.Errorf("after %s, %d of %d: %s left, shown %v; want %s, %v", tt.after, tt.done, tt.total, left, show, tt.left, tt.show)
		}
	}
}
