package capture

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
)

// IndexName is the file in a Folder that lists the others.
const IndexName = "index.json"

// IndexVersion is the version of the index's form. A change that a reader could stumble over raises it.
const IndexVersion = 1

// A Folder holds the captures of a run, a file for each leg in a folder for each scenario. Each appears whole or not at
// all, and is readable for its owner alone. It is safe for use by several goroutines.
type Folder struct {
	dir string

	mu      sync.Mutex
	taken   map[string]bool // slugs, of scenarios and of legs in them
	entries []*Entry
	err     error
}

// An Entry is what the index says of one capture.
type Entry struct {
	File        string `json:"file"` // in the folder, with slashes
	Scenario    string `json:"scenario"`
	Leg         string `json:"leg"`
	Verdict     string `json:"verdict"`
	Packets     int    `json:"packets"`
	Connections int    `json:"connections"`   // of TCP
	Cut         bool   `json:"cut,omitempty"` // the leg sent more than is kept of one

	written bool
}

// An index is the form of IndexName.
type index struct {
	Version  int      `json:"version"`
	Captures []*Entry `json:"captures"`
}

// ErrNotFolder says that a path for a Folder is something else.
var ErrNotFolder = errors.New("it is no folder")

// Open returns the folder dir, which is made if it isn't there. That it can be written to is tried before a run that
// would have been in vain. Errors are ErrNotFolder, or the system's.
func Open(dir string) (*Folder, error) {
	info, err := os.Stat(dir)
	switch {
	case err == nil && !info.IsDir():
		return nil, ErrNotFolder
	case errors.Is(err, fs.ErrNotExist):
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		return nil, err
	}
	f := &Folder{dir: dir, taken: map[string]bool{}}
	return f, f.write(IndexName, func(w io.Writer) error { return f.index(w) })
}

// Scenario gives a scenario its folder's name. Names depend on the order in which they are asked for, so whoever runs
// scenarios side by side asks first. Case doesn't tell names apart everywhere, so it doesn't here.
func (f *Folder) Scenario(name string) string { return f.slug("", name) }

// Leg gives a leg its file in a scenario's folder.
func (f *Folder) Leg(folder, scenario, leg string) *Entry {
	leg, e := strings.ReplaceAll(leg, " -> ", " to "), &Entry{Scenario: scenario, Leg: leg}
	e.File = path.Join(folder, f.slug(folder, leg)+".pcapng")
	f.mu.Lock()
	defer f.mu.Unlock()
	f.entries = append(f.entries, e)
	return e
}

// maxSlug bounds a name, in bytes.
const maxSlug = 120

// slug returns a name for a file of lower-case letters, digits, dots and dashes that isn't taken in folder.
func (f *Folder) slug(folder, name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '.' && b.Len() > 0:
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	base := strings.TrimRight(b.String()[:min(b.Len(), maxSlug)], ".-")
	if base == "" {
		base = "unnamed"
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	s := base
	for n := 2; f.taken[path.Join(folder, s)]; n++ {
		s = fmt.Sprintf("%s-%d", base, n)
	}
	f.taken[path.Join(folder, s)] = true
	return s
}

// Write writes the capture that e stands for and returns its path, "" if that failed; Close then says why.
func (f *Folder) Write(e *Entry, t *Trace, about string, notes []Note) string {
	var sum Summary
	err := os.MkdirAll(filepath.Join(f.dir, filepath.Dir(filepath.FromSlash(e.File))), 0o755)
	if err == nil {
		err = f.write(e.File, func(w io.Writer) (err error) {
			sum, err = t.Write(w, about, notes)
			return err
		})
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		if f.err == nil {
			f.err = err
		}
		return ""
	}
	e.Packets, e.Connections, e.Cut, e.written = sum.Packets, sum.Connections, sum.Cut, true
	return filepath.ToSlash(filepath.Join(f.dir, filepath.FromSlash(e.File)))
}

// Close writes the index of what there is. Its error is the first that kept something from being written.
func (f *Folder) Close() error {
	err := f.write(IndexName, f.index)
	f.mu.Lock()
	defer f.mu.Unlock()
	return errors.Join(f.err, err)
}

func (f *Folder) index(w io.Writer) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	in := index{Version: IndexVersion, Captures: []*Entry{}}
	for _, e := range f.entries {
		if e.written {
			in.Captures = append(in.Captures, e)
		}
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(in)
}

// write puts a file in place: written beside it, synced, renamed.
func (f *Folder) write(name string, content func(io.Writer) error) (err error) {
	to := filepath.Join(f.dir, filepath.FromSlash(name))
	t, err := os.CreateTemp(filepath.Dir(to), ".edgelab-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(t.Name())
		}
	}()
	b := bufio.NewWriterSize(t, 64<<10)
	err = content(b)
	if err == nil {
		err = b.Flush()
	}
	if err == nil {
		err = t.Sync()
	}
	if err = errors.Join(err, t.Close()); err != nil {
		return err
	}
	return os.Rename(t.Name(), to)
}
