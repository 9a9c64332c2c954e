package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/source"
)

// Exit codes. exitHelp tells users the same.
const (
	exitOK          = 0
	exitDiffers     = 1   // a leg's verdict isn't the expected one
	exitUsage       = 2   // wrong arguments or bad input
	exitEnvironment = 3   // a port, DNS, file descriptors, disk: this machine's fault
	exitControl     = 4   // the lab's own proof failed; no verdict counts
	exitInterrupted = 130 // SIGINT or SIGTERM
)

const exitHelp = `Exit codes:
  0    all as expected
  1    a verdict differs from what is expected
  2    usage or bad input
  3    environment: a port, DNS, file descriptors, disk
  4    the lab's own control failed, so no verdict counts
  130  interrupted`

// A status ends the program with an exit code and without a message: what there is to say has been printed.
type status int

func (s status) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// A usageError is a fault of the command line, with the way out.
type usageError struct {
	err  error
	hint string
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// badUsage returns a usageError. hint may be empty.
func badUsage(hint, format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...), hint}
}

// An outputError is a result that couldn't be written.
type outputError struct {
	where string
	err   error
}

func (e *outputError) Error() string { return fmt.Sprintf("write %s: %v", e.where, e.err) }
func (e *outputError) Unwrap() error { return e.err }

// exitCode returns the code that err ends the program with. What isn't the user's fault is the environment's.
func exitCode(err error) int {
	var s status
	var usage *usageError
	var input *source.Error
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &s):
		return int(s)
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &usage), errors.As(err, &input):
		return exitUsage
	case errors.Is(err, lab.ErrControls):
		return exitControl
	}
	return exitEnvironment
}
