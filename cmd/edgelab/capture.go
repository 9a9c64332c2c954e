package main

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"syscall"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/peers/capture"
)

// captureFlags are those of commands that show what went over the network.
type captureFlags struct {
	Pcap   string `placeholder:"DIR" help:"Leave a capture of each leg there, for Wireshark: pcapng with the TLS secrets inside."`
	Keylog string `placeholder:"FILE" help:"Append the TLS secrets of all legs to FILE, as SSLKEYLOGFILE does."`
}

const captureHelp = `--pcap makes a file for each leg, DIR/scenario/leg.pcapng, and DIR/index.json, which lists them. They are whole or not there, and replace those of an earlier run. Addresses and ports are the topology's, times those of the run; what each end decided stands in packet comments. The files hold the secrets of the lab's own connections and no private key, and are readable for you alone (mode 0600).

If SSLKEYLOGFILE names a file, the TLS secrets of all legs are appended to it; --keylog names one instead. It is made readable for you alone too.`

// record has the legs recorded as the flags say. done ends it, after the run; its error is what couldn't be written.
func (c captureFlags) record(a *app, opts *lab.Options) (done func() error, err error) {
	keys, err := c.keyLog(a)
	if err != nil {
		return nil, err
	}
	if keys != nil {
		opts.KeyLog = keys
	}
	var folder *capture.Folder
	if c.Pcap != "" {
		if folder, err = openCaptures(c.Pcap); err != nil {
			return nil, err
		}
		opts.Captures = folder
	}
	return func() error {
		if keys != nil {
			_ = keys.Close() // each line was written when it was logged
		}
		if folder == nil {
			return nil
		}
		if err := folder.Close(); err != nil {
			return &outputError{c.Pcap, err}
		}
		return nil
	}, nil
}

func openCaptures(dir string) (*capture.Folder, error) {
	folder, err := capture.Open(dir)
	switch {
	case errors.Is(err, capture.ErrNotFolder), errors.Is(err, syscall.ENOTDIR):
		return nil, badUsage("name a folder; it is made if it isn't there", "--pcap %s: %v", dir, stripped(err))
	case err != nil:
		return nil, &outputError{dir, stripped(err)}
	}
	return folder, nil
}

// keyLog opens the file for TLS secrets, nil if none is asked for.
func (c captureFlags) keyLog(a *app) (*os.File, error) {
	name := cmp.Or(c.Keylog, a.getenv("SSLKEYLOGFILE"))
	if name == "" {
		return nil, nil
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	switch {
	case err == nil:
		return f, nil
	case c.Keylog != "" && !errors.Is(err, fs.ErrNotExist):
		return nil, &outputError{name, stripped(err)}
	case c.Keylog != "":
		return nil, badUsage("make the folder first, or name another file", "--keylog: %s: %v", name, stripped(err))
	}
	return nil, badUsage("unset SSLKEYLOGFILE, or name a file that can be written", "SSLKEYLOGFILE: %s: %v", name, stripped(err))
}
