package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestColourAndProgressOnlyOnTerminals(t *testing.T) {
	tests := []struct {
		name             string
		terminal, flag   bool
		env              map[string]string
		colour, progress bool
	}{
		{"terminal", true, false, nil, true, true},
		{"pipe", false, false, nil, false, false},
		{"NO_COLOR", true, false, map[string]string{"NO_COLOR": "1"}, false, true},
		{"NO_COLOR empty", true, false, map[string]string{"NO_COLOR": ""}, true, true},
		{"dumb terminal", true, false, map[string]string{"TERM": "dumb"}, false, true},
		{"--no-color", true, true, nil, false, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			p := newPrinter(streams{nil, &out, &errs}, func(k string) string { return tt.env[k] })
			p.terminal = func(any) bool { return tt.terminal }
			p.noColour = tt.flag
			p.progress(3, 12)
			if got := strings.Contains(errs.String(), "3 of 12 legs"); got != tt.progress {
				t.Errorf("progress shown: %v, want %v", got, tt.progress)
			}
			p.failure(&usageError{errors.New("no"), "yes"})
			if got := strings.Contains(errs.String(), "\x1b["); got != tt.colour {
				t.Errorf("colour used: %v, want %v", got, tt.colour)
			}
			if got := p.colour(p.out); got != tt.colour {
				t.Errorf("colour allowed on standard output: %v, want %v", got, tt.colour)
			}
		})
	}
}

// The progress line is gone before anything else is printed.
func TestProgressIsCleared(t *testing.T) {
	var out, errs bytes.Buffer
	p := newPrinter(streams{nil, &out, &errs}, func(string) string { return "" })
	p.terminal = func(any) bool { return true }
	p.progress(1, 2)
	if err := p.result("done"); err != nil {
		t.Fatal(err)
	}
	if out.String() != "done\n" {
		t.Errorf("standard output has %q", out.String())
	}
	lines := strings.Split(errs.String(), "\r")
	if last := lines[len(lines)-1]; last != "" {
		t.Errorf("%q is left on the screen", last)
	}
}

func TestFailureNamesEveryError(t *testing.T) {
	var out, errs bytes.Buffer
	p := newPrinter(streams{nil, &out, &errs}, func(string) string { return "" })
	p.failure(errors.Join(badUsage("do this", "first"), errors.New("second")))
	if want := "edgelab: first\nhint: do this\nedgelab: second\n"; errs.String() != want {
		t.Errorf("got %q, want %q", errs.String(), want)
	}
}
