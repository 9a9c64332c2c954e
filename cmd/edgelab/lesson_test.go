package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

// On a terminal a lesson asks until it has a guess, and waits between its parts.
func TestLessonAsks(t *testing.T) {
	for _, test := range []struct {
		name, input string
		command     lessonCmd
		asked       int // for a guess
		waits       int
		want        string
	}{
		{"a guess after nonsense", "nine\n7\n2\n\n\n\n", lessonCmd{}, 3, 3, "Your guess, 2, isn't what happened\n"},
		{"the right one", "3\n\n\n\n", lessonCmd{}, 1, 3, "Your guess, 3, is right\n"},
		{"none", "\n\n\n\n", lessonCmd{}, 1, 3, "It is 3\n"},
		{"the terminal hangs up", "", lessonCmd{}, 1, 3, "It is 3\n"},
		{"--answer", "", lessonCmd{Answer: true}, 0, 0, "It is 3\n"},
		{"--guess", "", lessonCmd{Guess: 3}, 0, 0, "Your guess, 3, is right\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			out, errs, err := onTerminal(t.Context(), test.command, strings.NewReader(test.input))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Count(errs, "What do you think, 1 to 4? "); got != test.asked {
				t.Errorf("it asked for a guess %d times, want %d", got, test.asked)
			}
			if got := strings.Count(errs, "Enter for the next part: "); got != test.waits {
				t.Errorf("it waited %d times, want %d", got, test.waits)
			}
			for _, want := range []string{test.want, "Break it another way, 3 of 3", "the next lesson"} {
				if !strings.Contains(out, want) {
					t.Errorf("no %q in:\n%s", want, out)
				}
			}
		})
	}
}

// An interruption ends the wait.
func TestLessonInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	in, answers := io.Pipe()
	defer answers.Close()
	_, _, err := onTerminal(ctx, lessonCmd{}, readerFunc(func(b []byte) (int, error) {
		cancel()
		return in.Read(b)
	}))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want one that is context.Canceled", err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

func onTerminal(ctx context.Context, c lessonCmd, in io.Reader) (out, errs string, err error) {
	var o, e bytes.Buffer
	p := newPrinter(streams{in, &o, &e}, func(string) string { return "" })
	p.terminal = func(any) bool { return true }
	p.noColour = true
	c.Name = "mras"
	err = c.Run(&app{printer: p, ctx: ctx})
	return o.String(), e.String(), err
}
