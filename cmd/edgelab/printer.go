package main

// This file is the only one that writes to a stream. Its rules:
//
//   - Standard output carries the result and nothing else, so that it can be piped and compared.
//   - Standard error carries errors and progress. An error is one line "edgelab: …", with the way out on a line of
//     its own, "hint: …". Problems with an input file are printed as a compiler prints them, place first. What a
//     command has to say beside its result is a line "note: …". Questions are asked there too, of a terminal alone.
//   - Colour only where the stream is a terminal, TERM isn't "dumb", NO_COLOR is unset or empty (no-color.org), and
//     --no-color wasn't given. Colour never says what words don't.
//   - Progress only where standard error is a terminal, on one line, and gone at the end.
//   - No command prints a secret. The only files that hold any are those that --pcap, --keylog and
//     SSLKEYLOGFILE ask for.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode"

	"golang.org/x/term"

	"github.com/edgelab/edgelab/lab/source"
)

// streams are the program's three.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

type printer struct {
	streams
	getenv   func(string) string
	terminal func(any) bool // whether a stream is one; a field so that tests can say yes
	noColour bool

	mu     sync.Mutex
	status int // width of the progress line that is on the screen
	pace   pace
}

func newPrinter(s streams, getenv func(string) string) *printer {
	return &printer{streams: s, getenv: getenv, terminal: isTerminal}
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// colour reports whether text for the stream may have colours.
func (p *printer) colour(stream any) bool {
	return !p.noColour && p.getenv("NO_COLOR") == "" && p.getenv("TERM") != "dumb" && p.terminal(stream)
}

// result writes text to standard output.
func (p *printer) result(text string) error {
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return p.write(func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
}

// write lets f write the result to standard output.
func (p *printer) write(f func(io.Writer) error) error {
	p.clear()
	if err := f(p.out); err != nil {
		return &outputError{"standard output", stripped(err)}
	}
	return nil
}

// stripped returns err without the operation and the path, which the message that it goes into has already.
func stripped(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// progress shows how far a run is, and how long it will still take.
func (p *printer) progress(done, total int) {
	if !p.terminal(p.err) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	left, show := p.pace.next(time.Now(), done, total)
	if !show {
		return
	}
	line := fmt.Sprintf("%d of %d legs", done, total)
	if left > 0 {
		line += fmt.Sprintf(", %s left", left)
	}
	fmt.Fprintf(p.err, "\r%-*s", p.status, line)
	p.status = max(p.status, len(line))
}

// A pace is how fast a run goes.
type pace struct {
	total, first int
	start, shown time.Time
}

// next returns how long what is left will take, to the second, 0 if that can't be said yet, and whether enough has
// happened since it was last shown: a terminal is slower than the lab. A new total begins anew.
func (p *pace) next(now time.Time, done, total int) (left time.Duration, show bool) {
	const enough, between = 2 * time.Second, 100 * time.Millisecond
	if total != p.total {
		*p = pace{total: total, first: done, start: now}
	}
	if done < total && now.Sub(p.shown) < between {
		return 0, false
	}
	p.shown = now
	if made, took := done-p.first, now.Sub(p.start); made > 0 && took >= enough {
		left = (took / time.Duration(made) * time.Duration(total-done)).Round(time.Second)
	}
	return left, true
}

// clear takes the progress line away.
func (p *printer) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.status > 0 {
		fmt.Fprintf(p.err, "\r%*s\r", p.status, "")
		p.status = 0
	}
}

// failure says why the program ends without a result.
func (p *printer) failure(err error) {
	p.clear()
	var several interface{ Unwrap() []error }
	if errors.As(err, &several) {
		for _, e := range several.Unwrap() {
			p.failure(e)
		}
		return
	}
	var s status
	var input *source.Error
	var usage *usageError
	switch {
	case errors.As(err, &s):
	case errors.Is(err, context.Canceled):
		p.complain("interrupted; nothing was reported", "")
	case errors.As(err, &input):
		fmt.Fprintln(p.err, err)
	case errors.As(err, &usage):
		p.complain(err.Error(), usage.hint)
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		p.complain(err.Error(), "raise the limit of open files (ulimit -n 1024), or run fewer legs at a time (--parallel 1)")
	default:
		p.complain(err.Error(), "")
	}
}

// prompt asks something of whoever sits at the terminal. It isn't part of the result.
func (p *printer) prompt(question string) {
	p.clear()
	fmt.Fprint(p.err, question)
}

// note says on standard error what isn't part of the result.
func (p *printer) note(format string, args ...any) {
	p.clear()
	text := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '·' // what an input holds may not move the cursor
		}
		return r
	}, fmt.Sprintf(format, args...))
	fmt.Fprintf(p.err, "note: %s\n", text)
}

func (p *printer) complain(message, hint string) {
	mark := "edgelab:"
	if p.colour(p.err) {
		mark = "\x1b[1;31m" + mark + "\x1b[0m"
	}
	fmt.Fprintf(p.err, "%s %s\n", mark, message)
	if hint != "" {
		fmt.Fprintf(p.err, "hint: %s\n", hint)
	}
}
