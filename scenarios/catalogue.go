package scenarios

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

//go:embed catalogue/*.yaml
var catalogue embed.FS

// catalogueFile returns a catalogue scenario's file as it is named in messages: its path in the repository.
func catalogueFile(name string) string { return "scenarios/catalogue/" + name + ".yaml" }

// Names returns the names of the catalogue's scenarios, sorted.
func Names() []string {
	files, err := fs.Glob(catalogue, "catalogue/*.yaml")
	if err != nil { // the pattern is constant and good
		return nil
	}
	names := make([]string, len(files))
	for i, file := range files {
		names[i] = nameOf(file)
	}
	slices.Sort(names)
	return names
}

// Text returns a catalogue scenario as it was written, to copy and edit. A name that isn't there gives an error that
// is fs.ErrNotExist.
func Text(name string) ([]byte, error) {
	if strings.ContainsAny(name, `/\`) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return catalogue.ReadFile("catalogue/" + name + ".yaml")
}

// LoadCatalogue loads one scenario of the catalogue.
func LoadCatalogue(name string, opts Options) (Scenario, error) {
	text, err := Text(name)
	if err != nil {
		return Scenario{}, fmt.Errorf("the catalogue has no scenario %q: %w", name, err)
	}
	return Load(catalogueFile(name), text, opts)
}

// Catalogue loads the whole catalogue, sorted by name.
func Catalogue(opts Options) ([]Scenario, error) {
	var all []Scenario
	var errs []error
	for _, name := range Names() {
		s, err := LoadCatalogue(name, opts)
		all, errs = append(all, s), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return all, nil
}
