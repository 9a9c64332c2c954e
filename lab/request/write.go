package request

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// An ExistsError says that a file is there already. Nothing was written then.
type ExistsError struct{ Path string }

func (e *ExistsError) Error() string {
	return fmt.Sprintf("%s exists already, and a key or a request is never written over: choose another folder, or move it away", e.Path)
}

// Is makes the error one of fs.ErrExist.
func (e *ExistsError) Is(target error) bool { return target == fs.ErrExist }

// A file is one thing to write.
type file struct {
	name string
	data []byte
	mode fs.FileMode
}

// Write writes key, CSR, .inf and .ps1 of each request into a folder, which is made if it isn't there, and returns the
// paths. Each file appears whole or not at all; if one can't be written those before it are taken away again, so
// that no key is left without its request.
func Write(dir string, requests ...Request) (paths []string, err error) {
	var files []file
	for _, r := range requests {
		key, err := r.KeyPEM()
		if err != nil {
			return nil, err
		}
		name := r.Certificate.Key
		files = append(files, file{name + ".key", key, 0o600}, file{name + ".csr", r.CSRPEM(), 0o644})
		if r.Inf != "" {
			files = append(files, file{name + ".inf", []byte(r.Inf), 0o644})
		}
		if r.Shell != "" {
			files = append(files, file{name + ".ps1", []byte(r.Shell), 0o644})
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("can't write the requests: %w", err)
	}
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		if _, err := os.Lstat(path); err == nil {
			return nil, &ExistsError{path}
		}
	}
	defer func() {
		if err != nil {
			for _, path := range paths {
				err = errors.Join(err, os.Remove(path))
			}
			paths = nil
		}
	}()
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		if err := create(path, f.data, f.mode); err != nil {
			return paths, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// create makes a file that isn't there yet, whole: it is written beside its place and linked there, which fails if
// somebody was faster.
func create(path string, data []byte, mode fs.FileMode) (err error) {
	t, err := os.CreateTemp(filepath.Dir(path), ".edgelab-*") // mode 0600
	if err != nil {
		return fmt.Errorf("can't write %s: %w", path, err)
	}
	defer os.Remove(t.Name()) //nolint:errcheck // it has served
	_, err = t.Write(data)
	err = errors.Join(err, t.Chmod(mode), t.Sync(), t.Close())
	if err != nil {
		return fmt.Errorf("can't write %s: %w", path, err)
	}
	if err := os.Link(t.Name(), path); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return &ExistsError{path}
		}
		return fmt.Errorf("can't write %s: %w", path, err)
	}
	return nil
}
