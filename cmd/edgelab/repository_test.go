package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestRepositoryName(t *testing.T) {
	root := t.TempDir()
	folder := filepath.Join(root, "a", "b")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(t.TempDir(), "x.yaml")
	check := func(want map[string]string) {
		t.Helper()
		name := repositoryName(folder)
		for file, want := range want {
			if got := name(file); got != want {
				t.Errorf("%s is called %s, want %s", file, got, want)
			}
		}
	}
	check(map[string]string{"x.yaml": "x.yaml", "../x.yaml": filepath.ToSlash(filepath.Join(root, "a", "x.yaml")), "": ""})
	if err := os.Mkdir(filepath.Join(root, ".git"), 0o755); err != nil {
		t.Fatal(err)
	}
	check(map[string]string{
		"x.yaml": "a/b/x.yaml", "./c/x.yaml": "a/b/c/x.yaml", "../x.yaml": "a/x.yaml",
		filepath.Join(root, "x.yaml"): "x.yaml", outside: filepath.ToSlash(outside),
		"scenarios/catalogue/aol.yaml": "scenarios/catalogue/aol.yaml",
	})
}
