//go:build unix

package main

import (
	"os/signal"
	"syscall"
)

// ignoreLimits makes a limit on the size of files an error of the write that meets it, like a full disk. Left alone, the
// signal would end the program in the middle with a stack trace.
func ignoreLimits() { signal.Ignore(syscall.SIGXFSZ) }
