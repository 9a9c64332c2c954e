package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/edgelab/edgelab/ca"
	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/topology"
)

// A State is what a standing lab leaves in a folder for those who belong to it. It is public; private keys are in the hosts'
// own files.
type State struct {
	lab.Setup
	// Control is where each host answers on the control channel. A partner that is elsewhere and is in it has a driver; one
	// that isn't is somebody's own server, of which only the lab's end is seen.
	Control map[string]netip.AddrPort `json:"control"`
	// Products are the real products that play partners, by partner.
	Products map[string]string `json:"products,omitempty"`
}

// ControlPort is where a host that is a process of its own answers on the control channel.
const ControlPort = 8421

// Coordinator is the name under which whoever runs the scenario is known on the control channel.
const Coordinator = "lab"

// AllHosts is the name of one process that plays every host.
const AllHosts = "up"

// Files of a state's folder. Each partner that is elsewhere has a folder of its own besides; see writePartner.
const (
	stateFile = "lab.json"  // a State; written last, so that it says that the rest is whole
	RootsFile = "roots.pem" // the CAs that everybody outside trusts
	hostsDir  = "hosts"     // NAME.json: a secrets
)

// secrets are what only one host may read.
type secrets struct {
	ID          string                    `json:"id"` // of the state that they belong to
	Credentials map[string]lab.Credential `json:"credentials,omitempty"`
	Control     identity                  `json:"control"`
}

// ErrNotState is why a folder isn't written: something else is in it.
var ErrNotState = errors.New("the folder has other things in it, and isn't a lab's")

// Write puts a state into a folder, in place of an older one. Files with private keys can be read by their owner alone, and
// say that they are a lab's.
func Write(dir string, s *State, credentials map[string]lab.Credential) error {
	if err := claim(dir); err != nil {
		return err
	}
	ids, err := newIdentities(append(slices.Sorted(maps.Keys(s.Control)), Coordinator, AllHosts))
	if err != nil {
		return err
	}
	for name, id := range ids {
		sec := secrets{ID: s.ID, Control: id, Credentials: map[string]lab.Credential{}}
		for _, key := range lab.KeysOf(s.Scenario, name) {
			if c, ok := credentials[key]; ok {
				sec.Credentials[key] = c
			}
		}
		if err := writeJSON(filepath.Join(dir, hostsDir, name+".json"), sec, 0o600); err != nil {
			return err
		}
	}
	roots, err := s.rootsPEM()
	if err != nil {
		return err
	}
	if err := write(filepath.Join(dir, RootsFile), roots, 0o644); err != nil {
		return err
	}
	for _, p := range s.Scenario.Topology.Partners {
		if at, away := s.Elsewhere[p.Name]; away {
			if err := writePartner(filepath.Join(dir, p.Name), s, p, at, credentials[p.Name]); err != nil {
				return err
			}
		}
	}
	return writeJSON(filepath.Join(dir, stateFile), s, 0o644)
}

// claim makes the folder, or takes an older state out of it.
func claim(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(files) > 0 {
		if _, err := read(dir); err != nil && !slices.ContainsFunc(files, func(e fs.DirEntry) bool { return e.Name() == hostsDir }) {
			return fmt.Errorf("%s: %w", dir, ErrNotState)
		}
		if err := os.Remove(filepath.Join(dir, stateFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return os.MkdirAll(filepath.Join(dir, hostsDir), 0o700)
}

// Remove takes a state away. What else has been put into the folder stays.
func Remove(dir string) error {
	s, err := read(dir)
	if err != nil {
		return err
	}
	err = errors.Join(os.Remove(filepath.Join(dir, stateFile)), os.Remove(filepath.Join(dir, RootsFile)), os.RemoveAll(filepath.Join(dir, hostsDir)))
	for name := range s.Elsewhere {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, name)))
	}
	_ = os.Remove(dir) // stays if it isn't empty
	return err
}

// ErrNoState is wrapped by errors that say that no lab has left its state in a folder.
var ErrNoState = errors.New("no lab has left its state here")

// Read reads a state.
func Read(dir string) (*State, error) {
	s, err := read(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", dir, ErrNoState)
	}
	return s, err
}

func read(dir string) (*State, error) {
	text, err := os.ReadFile(filepath.Join(dir, stateFile))
	if err != nil {
		return nil, err
	}
	s := new(State)
	if err := json.Unmarshal(text, s); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, stateFile), err)
	}
	return s, nil
}

// Await reads a state, waiting until it is there or ctx ends.
func Await(ctx context.Context, dir string) (*State, error) {
	const often = 50 * time.Millisecond
	tick := time.NewTicker(often)
	defer tick.Stop()
	for {
		s, err := Read(dir)
		if !errors.Is(err, ErrNoState) {
			return s, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, err
		}
	}
}

// Credentials returns a host's certificates and keys.
func (s *State) Credentials(dir, host string) (map[string]lab.Credential, error) {
	sec, err := s.secretsOf(dir, host)
	return sec.Credentials, err
}

// secretsOf reads what is a host's alone.
func (s *State) secretsOf(dir, host string) (secrets, error) {
	var sec secrets
	file := filepath.Join(dir, hostsDir, host+".json")
	text, err := os.ReadFile(file)
	if err != nil {
		return sec, err
	}
	if err := json.Unmarshal(text, &sec); err != nil {
		return sec, fmt.Errorf("%s: %w", file, err)
	}
	if sec.ID != s.ID {
		return sec, fmt.Errorf("%s belongs to another issue of the lab's certificates; start the lab anew", file)
	}
	return sec, nil
}

// Same reports whether a state was made of the same things, so that it can serve again.
func (s *State) Same(o *State) bool {
	plain := func(s *State) []byte {
		c := State{Control: s.Control, Products: s.Products}
		c.Scenario, c.Seed, c.Addresses, c.Elsewhere = s.Scenario, s.Seed, s.Addresses, s.Elsewhere
		text, err := json.Marshal(c)
		if err != nil {
			return nil
		}
		return text
	}
	return bytes.Equal(plain(s), plain(o))
}

const marker = "# A lab's: made by edgelab for a rehearsal, and worth nothing outside of it.\n"

// rootsPEM returns the roots that all who are outside trust.
func (s *State) rootsPEM() ([]byte, error) {
	var out bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(s.Roots)) {
		if name == ca.Internal {
			continue
		}
		fmt.Fprintf(&out, "# The root of the lab's CA %q\n", name)
		if err := pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: s.Roots[name]}); err != nil {
			return nil, err
		}
	}
	return append([]byte(marker), out.Bytes()...), nil
}

// writePartner writes what a server needs that plays a partner: its certificate with its chain, the private key, the roots it
// trusts, and if the partner's product is one that the lab can set up, its configuration.
func writePartner(dir string, s *State, p topology.Partner, at netip.AddrPort, c lab.Credential) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	full, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	var chain, above bytes.Buffer
	for i, der := range c.Chain {
		text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
		chain.Write(text)
		if i > 0 {
			above.Write(text)
		}
	}
	roots, err := s.rootsPEM()
	if err != nil {
		return err
	}
	files := map[string][]byte{
		"cert.pem":  append([]byte(marker), chain.Bytes()...), // with those above it, as most servers want it
		"chain.pem": append([]byte(marker), above.Bytes()...), // those above it alone
		"key.pem":   append([]byte(marker), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: c.Key})...),
		"roots.pem": roots,
	}
	for name, text := range configurations(s, p, at, full) {
		files[name] = text
	}
	for name, text := range files {
		if err := write(filepath.Join(dir, name), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// productOf returns the family of a partner's product: "prosody" of "prosody-0.12".
func productOf(p topology.Partner) string {
	family, _, _ := strings.Cut(p.Product, "-")
	return family
}

func writeJSON(file string, v any, mode fs.FileMode) error {
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	return write(file, append(text, '\n'), mode)
}

// write puts a file in place whole.
func write(file string, text []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(file), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(mode), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
