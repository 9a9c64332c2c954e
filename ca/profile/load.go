package profile

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/edgelab/edgelab/lab/source"
	"github.com/edgelab/edgelab/lab/verdict"
)

//go:embed data/*.yaml
var data embed.FS

// Load returns the issuers that this package knows. The error says which line of which file is wrong.
func Load() (*Profiles, error) { return load(data) }

func load(files fs.FS) (*Profiles, error) {
	names, err := fs.Glob(files, "data/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("profiles: %w", err)
	}
	p := &Profiles{rules: map[string]Profile{}}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("profiles: %w", err)
		}
		profile, err := decode(text)
		if err != nil {
			return nil, fmt.Errorf("profiles: %s: %w", name, err)
		}
		_, twice := p.Get(profile.ID)
		if _, rules := p.rules[profile.ID]; twice || rules {
			return nil, fmt.Errorf("profiles: %s: profile %q is there twice", name, profile.ID)
		}
		if profile.Rules {
			p.rules[profile.ID] = profile
			continue
		}
		p.list = append(p.list, profile)
	}
	for _, profile := range p.list {
		if _, ok := p.rules[profile.Base]; profile.Base != "" && !ok {
			return nil, fmt.Errorf("profiles: %s: no rules are called %q", profile.ID, profile.Base)
		}
	}
	slices.SortFunc(p.list, func(a, b Profile) int { return cmp.Compare(a.ID, b.ID) })
	return p, nil
}

// decode reads one file, strictly: a key that nobody reads would be a fact that nobody heeds.
func decode(text []byte) (Profile, error) {
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	var p Profile
	if err := d.Decode(&p); err != nil {
		return Profile{}, err
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		return Profile{}, errors.New("a second document follows")
	}
	if p.ID == "" || p.Title == "" {
		return Profile{}, errors.New("a profile needs an ID (profile) and a title")
	}
	for i, l := range p.Lines {
		if err := l.check(); err != nil {
			return Profile{}, fmt.Errorf("line %d (%s from %q): %w", i+1, l.Field, l.From, err)
		}
		for _, before := range p.Lines[:i] {
			if before.Field == l.Field && before.From == l.From {
				return Profile{}, fmt.Errorf("line %d: %s is there twice from %q", i+1, l.Field, l.From)
			}
		}
	}
	return p, nil
}

// UnmarshalYAML takes a day in the form 2026-11-24.
func (d *Date) UnmarshalYAML(n *yaml.Node) error {
	t, err := time.Parse(time.DateOnly, n.Value)
	if err != nil {
		return fmt.Errorf("line %d: %q is no day; write it as 2026-11-24", n.Line, n.Value)
	}
	d.Time = t
	return nil
}

// MarshalText writes a day as it is read.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// check says what is wrong with a line. One without a source is wrong whatever it says.
func (l Line) check() error {
	switch {
	case !slices.Contains(Fields(), l.Field):
		return fmt.Errorf("no field is called %q; %s", l.Field, source.Suggest(string(l.Field), words(Fields())))
	case l.Source.Ref == "":
		return errors.New("it has no source")
	case l.Source.Kind != verdict.Documented && l.Source.Kind != verdict.Measured:
		return fmt.Errorf("the source's kind is %q; there are documented and measured", l.Source.Kind)
	case l.Read.IsZero():
		return errors.New("it doesn't say when its source was read")
	case l.Value == Unknown:
		if l.Note == "" {
			return errors.New("an unknown needs a note that says what is missing")
		}
		return nil
	case l.Field == Lifetime || l.Field == MaxNames:
		if n, err := strconv.Atoi(l.Value); err != nil || n < 1 {
			return fmt.Errorf("%q is no number of days or names", l.Value)
		}
		return nil
	case l.Field == Price:
		return errors.New("prices aren't kept: they change without notice")
	}
	known, several := values(l.Field)
	if n := len(l.words()); n == 0 || n > 1 && !several {
		return fmt.Errorf("%q isn't one value of %s", l.Value, strings.Join(known, ", "))
	}
	for _, w := range l.words() {
		if !slices.Contains(known, w) {
			return fmt.Errorf("%q is no value of %s; %s", w, l.Field, source.Suggest(w, known))
		}
	}
	return nil
}

func words[T ~string](list []T) []string {
	all := make([]string, len(list))
	for i, s := range list {
		all[i] = string(s)
	}
	return all
}
