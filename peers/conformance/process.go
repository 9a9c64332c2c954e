package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A process is a program that runs in a sandbox. What it prints is its log.
type process struct {
	cmd  *exec.Cmd
	name string
	in   io.WriteCloser
	log  *logBuffer
	done chan struct{}
	err  error
}

// Start starts argv in the sandbox as a process group of its own. argv[0] is an absolute path there.
func (s *sandbox) Start(_ context.Context, argv ...string) (*process, error) {
	cmd := &exec.Cmd{
		Path: argv[0], Args: argv, Dir: "/",
		Env:         []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "HOME=/root", "TERM=dumb"},
		SysProcAttr: &syscall.SysProcAttr{Chroot: s.root, Setpgid: true},
		WaitDelay:   2 * time.Second,
	}
	p := &process{cmd: cmd, name: argv[0], log: newLogBuffer(), done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.log, p.log
	var err error
	if p.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := s.inside(cmd.Start); err != nil {
		return nil, fmt.Errorf("start %s: %w", argv[0], err)
	}
	go func() {
		p.err = cmd.Wait()
		p.log.end()
		close(p.done)
	}()
	return p, nil
}

// Wait waits for the process to end; if ctx ends first it kills it.
func (p *process) Wait(ctx context.Context) error {
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		p.Stop()
		return ctx.Err()
	}
}

// Stop kills the process group.
func (p *process) Stop() {
	_ = p.in.Close()
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.done
}

// Say writes a line to the process's standard input.
func (p *process) Say(line string) error {
	_, err := io.WriteString(p.in, line+"\n")
	return err
}

// Mark returns the present end of the log.
func (p *process) Mark() int { return p.log.mark() }

// Log returns the log since mark.
func (p *process) Log(mark int) string { return p.log.since(mark) }

// Expect waits until the log since mark matches re and returns the groups of the match.
func (p *process) Expect(ctx context.Context, mark int, re *regexp.Regexp) ([]string, error) {
	for {
		changed, ended := p.log.watch()
		if m := re.FindStringSubmatch(p.Log(mark)); m != nil {
			return m, nil
		}
		if ended {
			return nil, fmt.Errorf("%s ended without printing %s; its last words: %s", p.name, re, tail(p.Log(0)))
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("%s didn't print %s: %w; its last words: %s", p.name, re, ctx.Err(), tail(p.Log(mark)))
		}
	}
}

func tail(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 400 {
		s = "…" + s[len(s)-400:]
	}
	return strings.ReplaceAll(s, "\n", " | ")
}

// A logBuffer collects what a process prints and wakes those who wait for it.
type logBuffer struct {
	mu      sync.Mutex
	text    []byte
	changed chan struct{}
	ended   bool
}

// maxLog bounds the memory for a product that prints without end.
const maxLog = 64 << 20

func newLogBuffer() *logBuffer { return &logBuffer{changed: make(chan struct{})} }

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.text)+len(b) > maxLog {
		return 0, errors.New("the product's log has grown beyond reason")
	}
	l.text = append(l.text, b...)
	l.wake()
	return len(b), nil
}

func (l *logBuffer) wake() {
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *logBuffer) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	l.wake()
}

func (l *logBuffer) mark() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.text)
}

func (l *logBuffer) since(mark int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text[min(mark, len(l.text)):])
}

func (l *logBuffer) watch() (<-chan struct{}, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changed, l.ended
}
