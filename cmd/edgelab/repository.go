package main

import (
	"os"
	"path/filepath"
	"strings"
)

// embedded begins the names of the catalogue's files, which are no files of the user's.
const embedded = "scenarios/catalogue/"

// repositoryName returns a function that names input files as CI servers know them: from the root of the Git repository
// that folder is in, or from folder itself where there is none, with slashes. A file elsewhere keeps its whole path.
func repositoryName(folder string) func(string) string {
	root := folder
	for at := folder; ; at = filepath.Dir(at) {
		if _, err := os.Lstat(filepath.Join(at, ".git")); err == nil {
			root = at
			break
		}
		if at == filepath.Dir(at) {
			break
		}
	}
	return func(file string) string {
		if file == "" || strings.HasPrefix(file, embedded) {
			return file
		}
		whole := file
		if !filepath.IsAbs(whole) {
			whole = filepath.Join(folder, whole)
		}
		name, err := filepath.Rel(root, whole)
		if err != nil || !filepath.IsLocal(name) {
			name = whole
		}
		return filepath.ToSlash(name)
	}
}
