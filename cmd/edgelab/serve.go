package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"

	"github.com/edgelab/edgelab/lab/web"
)

type serveCmd struct {
	Listen string `default:"127.0.0.1:8420" placeholder:"ADDRESS" help:"Where: an address of the loopback, with a port; port 0 is whichever is free."`
	// InContainer is what docker-compose.yml gives: there loopback is the container's own, and nobody could come.
	InContainer bool `help:"In a container: listen on all its addresses, for a port that is published on the host's loopback only."`
}

// Help says what the site does and how it ends.
func (serveCmd) Help() string {
	return `The training site: pick a scenario, switch names and EKUs off, see which legs break, and why. What a visitor chose is in the page's address; the site keeps nothing. It is served on this machine's loopback only, and answers to no other Host. It ends with Ctrl-C, and then with exit code 130.

` + exitHelp
}

// open listens where the site is to be served.
func (c *serveCmd) open(ctx context.Context) (net.Listener, error) {
	if !c.InContainer {
		return web.Listen(ctx, c.Listen)
	}
	if !inContainer() {
		return nil, badUsage("leave the flag out", "--in-container: this is no container, and the site is served on the loopback only")
	}
	_, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return nil, badUsage("for example: --listen "+web.DefaultAddress, "--listen %s: it isn't HOST:PORT", c.Listen)
	}
	var lc net.ListenConfig
	return lc.Listen(ctx, "tcp", net.JoinHostPort("", port))
}

// inContainer reports whether Docker or Podman has started this process: each leaves a file that says so.
func inContainer() bool {
	for _, mark := range []string{"/.dockerenv", "/run/.containerenv"} {
		if _, err := os.Stat(mark); err == nil {
			return true
		}
	}
	return false
}

// Run serves the site until it is interrupted.
func (c *serveCmd) Run(a *app) error {
	site, err := web.New(web.Options{Log: a.err})
	if err != nil {
		return err
	}
	ln, err := c.open(a.ctx)
	var address *web.AddressError
	switch {
	case errors.As(err, &address):
		return badUsage("for example: --listen "+web.DefaultAddress, "--listen %v", address)
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s is taken; --listen 127.0.0.1:0 takes a port that is free: %w", c.Listen, err)
	case err != nil:
		return err
	}
	if err := a.result(fmt.Sprintf("The training site is at http://%s/ until you press Ctrl-C.", ln.Addr())); err != nil {
		_ = ln.Close() // the other error goes before
		return err
	}
	if err := site.Serve(a.ctx, ln); err != nil {
		return err
	}
	return status(exitInterrupted)
}
