package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// A sink is the file that a result goes to. A regular file gets the result at once and whole, or not at all: it is
// written beside it, synced, and renamed. Anything else (a pipe, a device) is written as it is.
type sink struct {
	path string // as given
	file *os.File
	into string // where to rename file to; empty: it is written in place
}

// openSink opens path for writing, before a run that would have been in vain. A folder that isn't there is a usage
// error.
func openSink(path string) (*sink, error) {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return nil, badUsage("give the name of a file in it", "%s is a folder", path)
	case err == nil && !info.Mode().IsRegular():
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, &outputError{path, stripped(err)}
		}
		return &sink{path: path, file: f}, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, &outputError{path, stripped(err)}
	}
	into := path
	if target, err := filepath.EvalSymlinks(path); err == nil {
		into = target // the link stays one
	}
	f, err := createBeside(into)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, badUsage("make it first, or name another file", "%s: the folder isn't there", path)
	case err != nil:
		return nil, &outputError{path, stripped(err)}
	}
	if info != nil { // keep the permissions of what is replaced
		if err := f.Chmod(info.Mode().Perm()); err != nil {
			s := &sink{path: path, file: f, into: into}
			s.discard()
			return nil, &outputError{path, stripped(err)}
		}
	}
	return &sink{path: path, file: f, into: into}, nil
}

// createBeside creates a new file in path's folder, with the permissions that the umask leaves.
func createBeside(path string) (*os.File, error) {
	folder, name := filepath.Split(path)
	for {
		beside := filepath.Join(folder, fmt.Sprintf(".%s.%08x", name, rand.Uint32()))
		f, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666) //nolint:gosec // the umask decides
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
}

// fill lets write produce the result and puts it in place. After an error nothing is left of it.
func (s *sink) fill(write func(io.Writer) error) error {
	b := bufio.NewWriter(s.file)
	err := write(b)
	if err == nil {
		err = b.Flush()
	}
	if err == nil && s.into != "" {
		err = s.file.Sync()
	}
	if err != nil {
		s.discard()
		return &outputError{s.path, stripped(err)}
	}
	if err := s.file.Close(); err != nil {
		s.remove()
		return &outputError{s.path, stripped(err)}
	}
	if s.into != "" {
		if err := os.Rename(s.file.Name(), s.into); err != nil {
			s.remove()
			return &outputError{s.path, errors.Unwrap(err)}
		}
	}
	return nil
}

// discard closes the file and leaves the place as it was.
func (s *sink) discard() {
	_ = s.file.Close()
	s.remove()
}

func (s *sink) remove() {
	if s.into != "" {
		_ = os.Remove(s.file.Name())
	}
}
