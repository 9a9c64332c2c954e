package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/edgelab/edgelab/lab/judge"
	"github.com/edgelab/edgelab/lab/source"
	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/peers/policy"
	"github.com/edgelab/edgelab/scenarios"
)

// stdinName is the file argument that means standard input.
const stdinName = "-"

// bareStack is the protocol of a product that is a TLS stack without an application: it can stand for any partner.
const bareStack = "tls"

// load reads the scenarios of files, or the catalogue if there are none. What is wrong with any of them is in the one
// error.
func (a *app) load(files []string, policies *policy.Catalogue) ([]scenarios.Scenario, error) {
	opts := scenarios.Options{
		Products: policies.Names(),
		Serves: func(product string, protocol topology.Protocol) bool {
			p, ok := policies.Product(product)
			return ok && (p.Protocol() == string(protocol) || p.Protocol() == bareStack)
		},
		TwoCertificates: policies.ShowsTwo,
	}
	if len(files) == 0 {
		return scenarios.Catalogue(opts)
	}
	var list []scenarios.Scenario
	var errs []error
	for _, file := range files {
		s, err := a.loadFile(file, opts)
		list, errs = append(list, s), append(errs, err)
	}
	return list, errors.Join(errs...)
}

func (a *app) loadFile(file string, opts scenarios.Options) (scenarios.Scenario, error) {
	if file == stdinName {
		text, err := io.ReadAll(io.LimitReader(a.in, source.MaxSize+1))
		if err != nil {
			return scenarios.Scenario{}, fmt.Errorf("standard input: %w", err)
		}
		return scenarios.Load("standard-input.yaml", text, opts)
	}
	s, err := scenarios.LoadFile(file, opts)
	var problems *source.Error
	if err == nil || errors.As(err, &problems) {
		return s, err
	}
	hint := ""
	if errors.Is(err, fs.ErrNotExist) {
		hint = "edgelab init prints a file to start from; edgelab run without a file runs the catalogue"
		if _, err := scenarios.Text(strings.TrimSuffix(file, ".yaml")); err == nil {
			hint = "the catalogue has one of that name: edgelab run --filter " + strings.TrimSuffix(file, ".yaml")
		}
	}
	return s, badUsage(hint, "%s: %v", file, stripped(err))
}

// line returns one line of an input file, for quoting.
func line(file string, number int) (string, bool) {
	var text []byte
	var err error
	if name, ok := strings.CutPrefix(file, "scenarios/catalogue/"); ok {
		text, err = scenarios.Text(strings.TrimSuffix(name, ".yaml"))
	} else {
		text, err = source.Read(file)
	}
	if err != nil {
		return "", false
	}
	lines := strings.Split(string(text), "\n")
	if number < 1 || number > len(lines) {
		return "", false
	}
	return strings.TrimSuffix(lines[number-1], "\r"), true
}

// A filter picks scenarios and legs: a part of their name, or a glob for all of it. The empty filter picks all.
type filter string

// check refuses a glob that isn't one.
func (f filter) check() error {
	if _, err := path.Match(string(f), ""); err != nil {
		return badUsage(`a glob has *, ? and [a-z]; \ takes their meaning away`, "--filter %q is no glob", string(f))
	}
	return nil
}

func (f filter) matches(name string) bool {
	name, pattern := strings.ToLower(name), strings.ToLower(string(f))
	if strings.Contains(name, pattern) {
		return true
	}
	ok, err := path.Match(strings.ReplaceAll(pattern, "/", "\x00"), strings.ReplaceAll(name, "/", "\x00")) // * takes slashes too
	return err == nil && ok
}

// leg reports whether f means a leg, by its own name or by its scenario's.
func (f filter) leg(scenario string, l topology.Leg) bool {
	return f.matches(scenario) || f.matches(l.ID)
}

// any reports whether f means any leg of list.
func (f filter) any(list []scenarios.Scenario) bool {
	return slices.ContainsFunc(list, func(s scenarios.Scenario) bool {
		return slices.ContainsFunc(topology.Legs(s.Topology), func(l topology.Leg) bool { return f.leg(s.Name, l) })
	})
}

// A date is an argument: 2027-03-15 (midnight, UTC) or RFC 3339.
type date struct{ time.Time }

// UnmarshalText reads a date.
func (d *date) UnmarshalText(text []byte) error {
	at, err := judge.ParseDate(string(text))
	d.Time = at
	return err
}
