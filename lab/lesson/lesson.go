package lesson

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/scenarios"
)

// The lessons: NUMBER-NAME.yaml, where the number only sorts.
//
//go:embed lessons/*.yaml
var files embed.FS

// A Lesson is one thing to understand, and a run that shows it.
type Lesson struct {
	Name        string   `json:"name"`  // "two-ekus"; what edgelab lesson and the site's address take
	Title       string   `json:"title"` // one line
	Scenario    string   `json:"scenario"`
	Question    string   `json:"question"`    // paragraphs, separated by empty lines
	Look        []string `json:"look"`        // patterns of the legs that the question is about, in the order to tell them
	Choices     []Choice `json:"choices"`     // the guesses
	Answer      int      `json:"answer"`      // position in Choices of the right one; from 0
	Explanation string   `json:"explanation"` // paragraphs, separated by empty lines
	Rules       []string `json:"rules"`       // IDs of the rules that decide, which the run asks
	Wire        []string `json:"wire"`        // what there is to see in the evidence of the legs to look at, as it is written there
	Breaks      []Break  `json:"breaks"`
	Sources     []string `json:"sources"`
	File        string   `json:"file"` // the lesson's own, for messages
}

// A Choice is one guess.
type Choice struct {
	Text   string  `json:"text"`
	Reply  string  `json:"reply"`  // what to say to whoever made it
	Claims []Claim `json:"claims"` // what would have to come out for it to be right
}

// A Claim says of legs what they do.
type Claim struct {
	Legs string `json:"legs"` // a pattern, as in a scenario's expect
	Is   string `json:"is"`   // a verdict, or Works or Fails
}

// What a claim can say instead of a verdict.
const (
	Works = "works" // messages get through, by trust or by a fallback
	Fails = "fails"
)

// A Break is another way to break what the lesson is about, or to mend it: a scenario that differs from the lesson's.
type Break struct {
	Title       string `json:"title"`
	Explanation string `json:"explanation"` // what came of it, and why
	Text        string `json:"text"`        // the scenario's file, to run as it is or to edit

	name string // of the scenario
	at   placed
}

// All returns every lesson, in the order of teaching. An error means that the data is wrong.
func All() ([]Lesson, error) {
	names, err := fs.Glob(files, "lessons/*.yaml")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var all []Lesson
	var errs []error
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		l, err := Load("lab/lesson/"+name, text)
		all, errs = append(all, l), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return all, nil
}

// Names returns the names of all lessons, in the order of teaching.
func Names() []string {
	entries, err := fs.Glob(files, "lessons/*.yaml")
	if err != nil { // the pattern is constant and good
		return nil
	}
	slices.Sort(entries)
	for i, e := range entries {
		entries[i] = nameOf(e)
	}
	return entries
}

// Find returns the lesson with that name. One that isn't there gives an error that is fs.ErrNotExist.
func Find(name string) (Lesson, error) {
	all, err := All()
	if err != nil {
		return Lesson{}, err
	}
	i := slices.IndexFunc(all, func(l Lesson) bool { return l.Name == name })
	if i < 0 {
		return Lesson{}, fmt.Errorf("lesson %q: %w", name, fs.ErrNotExist)
	}
	return all[i], nil
}

// Load loads the lesson's scenario.
func (l Lesson) Load(opts scenarios.Options) (scenarios.Scenario, error) {
	return scenarios.LoadCatalogue(l.Scenario, opts)
}

// Scenarios loads the lesson's scenario and those of its breaks, in their order: what a lesson runs. Their names differ.
func (l Lesson) Scenarios(opts scenarios.Options) ([]scenarios.Scenario, error) {
	first, err := l.Load(opts)
	list, errs := []scenarios.Scenario{first}, []error{err}
	for _, b := range l.Breaks {
		s, err := b.Load(opts)
		list, errs = append(list, s), append(errs, err)
	}
	return list, errors.Join(errs...)
}

// Load loads the scenario of a break. Its positions are those in the lesson's file.
func (b Break) Load(opts scenarios.Options) (scenarios.Scenario, error) {
	s, err := scenarios.Load(b.at.file, b.at.text(b.Text), opts)
	if err == nil {
		s.Name = b.name
	}
	return s, err
}

// Right returns the position of the choice whose claims hold. verdicts are those of the scenario's legs, by leg ID. It is
// an error if none holds, or several: then the lesson is wrong.
func (l Lesson) Right(verdicts map[string]verdict.Code) (int, error) {
	right := -1
	for i, c := range l.Choices {
		if !c.holds(verdicts) {
			continue
		}
		if right >= 0 {
			return 0, fmt.Errorf("lesson %s: the legs bear out both guess %d and guess %d", l.Name, right+1, i+1)
		}
		right = i
	}
	if right < 0 {
		return 0, fmt.Errorf("lesson %s: the legs bear out none of its guesses", l.Name)
	}
	return right, nil
}

func (c Choice) holds(verdicts map[string]verdict.Code) bool {
	for _, claim := range c.Claims {
		meant := 0
		for id, code := range verdicts {
			if !Means(claim.Legs, id) {
				continue
			}
			meant++
			if !claim.allows(code) {
				return false
			}
		}
		if meant == 0 {
			return false
		}
	}
	return true
}

func (c Claim) allows(code verdict.Code) bool {
	switch c.Is {
	case Works:
		return code.Works()
	case Fails:
		return !code.Works()
	}
	return string(code) == c.Is
}

// Means reports whether a pattern means the leg with that ID.
func Means(pattern, id string) bool {
	p, err := topology.ParsePattern(pattern)
	if err != nil {
		return false
	}
	from, to, ok := strings.Cut(id, " -> ")
	if !ok {
		return false
	}
	leg := topology.Leg{ID: id}
	var own string
	leg.Initiator, own, _ = strings.Cut(from, "/")
	leg.Own = own
	leg.Acceptor, own, _ = strings.Cut(to, "/")
	if own != "" {
		leg.Own = own
	}
	_, ok = p.Matches(leg)
	return ok
}

// nameOf returns a lesson's name for its file's.
func nameOf(file string) string {
	name := strings.TrimSuffix(file[strings.LastIndexByte(file, '/')+1:], ".yaml")
	if number, rest, ok := strings.Cut(name, "-"); ok && strings.Trim(number, "0123456789") == "" {
		return rest
	}
	return name
}
