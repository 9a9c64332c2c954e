package wire

import (
	"errors"
	"io"
	"net"
	"syscall"
)

// lost reports whether err means that the other side went away without a word.
func lost(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
