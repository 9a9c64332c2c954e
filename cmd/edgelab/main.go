// Edgelab rehearses a federation certificate before it is bought: it plans the certificates of a Lync or Skype for
// Business Edge, has an embedded CA issue them, runs every federation leg over real sockets against simulated
// partners, and says which legs work, which don't, why, and what to change.
//
// This package parses arguments, calls package lab and prints; each command has a file of its own, printer.go is the
// only file that writes to a stream, and exit.go says what each exit code means.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ignoreLimits()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}, os.Getenv))
}
