package main

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The same source gives the same bytes, in whatever folder it is built.
func TestReproducibleBuild(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it links the program twice")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	var built [2][]byte
	for i, folder := range []string{"here", "some/where/else"} {
		dir := filepath.Join(t.TempDir(), filepath.FromSlash(folder))
		copySource(t, root, dir)
		binary := filepath.Join(t.TempDir(), "edgelab")
		cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", binary, "./cmd/edgelab")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if built[i], err = os.ReadFile(binary); err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(built[i], []byte(dir)) {
			t.Errorf("the binary has the folder it was built in")
		}
	}
	if !bytes.Equal(built[0], built[1]) {
		t.Errorf("two builds of the same source differ: %d and %d bytes", len(built[0]), len(built[1]))
	}
}

// copySource copies what a build needs.
func copySource(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		switch {
		case e.IsDir() && (strings.HasPrefix(e.Name(), ".") && rel != "." || rel == "bin" || rel == "out" || rel == "dist"):
			return filepath.SkipDir
		case e.IsDir():
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		case !e.Type().IsRegular() || strings.HasSuffix(rel, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), text, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
}
