package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/edgelab/edgelab/ca/profile"
	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/certfile"
	"github.com/edgelab/edgelab/peers/policy"
	"github.com/edgelab/edgelab/scenarios"
)

// legFlags are those of commands that make one deployment's legs again and again.
type legFlags struct {
	Parallel int `placeholder:"N" help:"How many legs run at a time; 0: as many as suit the machine."`
}

// options returns how the legs are made. The seed is run's default, so that two commands make the same certificates.
func (f legFlags) options(a *app, policies *policy.Catalogue) (lab.Options, error) {
	if f.Parallel < 0 {
		return lab.Options{}, badUsage("0 takes as many as suit the machine", "--parallel %d: there can't be fewer than none", f.Parallel)
	}
	return lab.Options{Seed: 1, Parallel: f.Parallel, Policies: policies, Progress: a.progress}, nil
}

// deployment loads the one scenario that a command is about, at another date if one is given.
func (a *app) deployment(file string, at date, f legFlags) (scenarios.Scenario, lab.Options, error) {
	policies, err := policy.Load()
	if err != nil {
		return scenarios.Scenario{}, lab.Options{}, err
	}
	opts, err := f.options(a, policies)
	if err != nil {
		return scenarios.Scenario{}, lab.Options{}, err
	}
	list, err := a.load([]string{file}, policies)
	if err != nil {
		return scenarios.Scenario{}, lab.Options{}, err
	}
	if !at.IsZero() {
		list[0].At = at.Time
	}
	return list[0], opts, nil
}

// contents reads a file, or standard input, up to a size that no sound one has. A file that can't be read is the
// user's to set right; what is no such file is for its reader to say.
func (a *app) contents(file string, most int64) ([]byte, error) {
	in := a.in
	if file != stdinName {
		f, err := os.Open(file)
		if err != nil {
			return nil, badUsage("", "%s: %v", file, stripped(err))
		}
		defer f.Close() //nolint:errcheck // read only
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, most+1))
	var path *fs.PathError
	switch {
	case errors.As(err, &path):
		return nil, badUsage("", "%s: %v", file, path.Err)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return data, nil
}

// certificate reads a certificate or a request, with the key of another file if there is one.
func (a *app) certificate(file, password, key string) (certfile.File, error) {
	opts := certfile.Options{Password: password}
	if key != "" {
		var err error
		if opts.Key, err = a.contents(key, certfile.MaxSize); err != nil {
			return certfile.File{}, err
		}
		opts.KeyName = key
	}
	data, err := a.contents(file, certfile.MaxSize)
	if err != nil {
		return certfile.File{}, err
	}
	if file == stdinName {
		file = "standard input"
	}
	f, err := certfile.Read(file, data, opts)
	return f, asCertificate(err)
}

// asCertificate returns the user's error about a certificate's file with its way out as a hint.
func asCertificate(err error) error {
	var e *certfile.Error
	if !errors.As(err, &e) {
		return err
	}
	if errors.Is(err, certfile.ErrPassword) && e.WayOut != "" {
		return badUsage(e.WayOut+"; a PKCS#12 file's goes with --password", "%s: %s", e.File, e.Reason)
	}
	return badUsage(e.WayOut, "%s: %s", e.File, e.Reason)
}

type caID string

// Choices returns the issuers' IDs.
func (caID) Choices() []string {
	profiles, err := profile.Load()
	if err != nil {
		return nil
	}
	return profiles.IDs()
}

// UnmarshalText takes one of Choices.
func (c *caID) UnmarshalText(text []byte) error {
	*c = caID(text)
	return choose("--ca", string(text), c.Choices())
}
