package scenarios

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/edgelab/edgelab/lab/source"
	"github.com/edgelab/edgelab/lab/topology"
)

// Options are what the loader must know that this package doesn't.
type Options struct {
	Products []string // the products that there are policies for; empty: any name will do
	// Serves reports whether a product speaks a protocol; nil: each speaks any.
	Serves func(product string, protocol topology.Protocol) bool
	// TwoCertificates reports whether a product can show another certificate as a client than as a server, and why it can
	// or can't; nil: each can.
	TwoCertificates func(product string) (can bool, why string)
	// Base returns the text of the scenario that the one in the file from builds on, and the file's name for
	// messages. nil: BaseFile.
	Base func(from, name string) (text []byte, file string, err error)
}

// maxBases is how many scenarios can be built on each other.
const maxBases = 16

// Load reads a scenario from text. name is the file's, as it appears in messages. The error, if any, is a
// *source.Error with everything that is wrong.
func Load(name string, text []byte, opts Options) (Scenario, error) {
	if opts.Base == nil {
		opts.Base = BaseFile
	}
	l := loader{opts: opts, problems: &source.Problems{}}
	s := l.scenario(name, l.tree(name, text))
	if err := l.problems.Err(); err != nil {
		return Scenario{}, err
	}
	return s, nil
}

// LoadFile reads a scenario from a file. Its error is a *source.Error, or that of the file system.
func LoadFile(path string, opts Options) (Scenario, error) {
	text, err := source.Read(path)
	if err != nil {
		return Scenario{}, fmt.Errorf("can't read the scenario: %w", err)
	}
	return Load(path, text, opts)
}

// BaseFile finds a base: one that looks like a path (it has a slash or ends in .yaml) is a file relative to the one
// that names it, every other one is in the catalogue.
func BaseFile(from, name string) (text []byte, file string, err error) {
	if !strings.ContainsAny(name, `/\`) && filepath.Ext(name) == "" {
		text, err := Text(name)
		return text, catalogueFile(name), err
	}
	file = name
	if !filepath.IsAbs(name) {
		file = filepath.Join(filepath.Dir(from), name)
	}
	text, err = source.Read(file)
	return text, file, err
}

type loader struct {
	opts     Options
	problems *source.Problems
}

// personal are the keys that a scenario doesn't take over from its base.
var personal = []string{"title", "teaches", "proves", "base"}

// tree parses text, lays it over what it builds on, and returns the result; nil if there is nothing to read.
func (l *loader) tree(name string, text []byte) *source.Node {
	files, trees := []string{filepath.Clean(name)}, []*source.Node(nil)
	for {
		tree := l.parse(name, text)
		if tree == nil {
			return nil
		}
		trees = append(trees, tree)
		at := tree.Get("base")
		base := l.problems.Text(at, "base")
		if base == "" {
			break
		}
		var file string
		var err error
		text, file, err = l.opts.Base(name, base)
		switch {
		case err != nil:
			l.problems.Add(at, source.Suggest(base, Names()), "base %q can't be read: %s", base, reason(err))
			return nil
		case slices.Contains(files, filepath.Clean(file)):
			l.problems.Add(at, "", "base goes round in a circle: %s", strings.Join(append(files, file), " -> "))
			return nil
		case len(trees) > maxBases:
			l.problems.Add(at, "", "more than %d scenarios are built on each other", maxBases)
			return nil
		}
		name, files = file, append(files, filepath.Clean(file))
	}
	result := trees[len(trees)-1]
	for i := len(trees) - 2; i >= 0; i-- {
		result = source.Merge(without(result, personal), trees[i], func(p source.Path) bool { return p == "partners" })
	}
	return result
}

// parse reads one file and sees that it is a mapping at all.
func (l *loader) parse(name string, text []byte) *source.Node {
	n := source.Parse(name, text, l.problems)
	if n == nil {
		return nil
	}
	if n.Kind != source.Mapping {
		l.problems.Add(n, "edgelab init prints a file to start from", "a scenario is a mapping (key: value)")
		return nil
	}
	return n
}

func without(n *source.Node, keys []string) *source.Node {
	result := *n
	result.Entries = slices.DeleteFunc(slices.Clone(n.Entries), func(e source.Entry) bool { return slices.Contains(keys, e.Key.Value) })
	return &result
}

// reason says why a base can't be read, without repeating its name.
func reason(err error) string {
	var pathErr *fs.PathError
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "there is no such scenario"
	case errors.As(err, &pathErr):
		return pathErr.Err.Error()
	}
	return err.Error()
}
