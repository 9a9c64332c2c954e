package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/edgelab/edgelab/"

// tiers are the packages from the bottom up: a package imports only from tiers below its own. CONTRIBUTING.md draws the
// same picture.
var tiers = [][]string{
	{"lab/verdict", "lab/source", "peers/capture"},
	{"lab/topology", "peers/dns", "peers/policy", "peers/wire"},
	{"lab/topology/csexport", "lab/plan", "lab/judge", "peers", "peers/conformance"},
	{"ca/profile", "lab/certfile", "lab/probe", "lab/request", "scenarios", "peers/sip", "peers/xmpp"},
	{"peers/sip/siptest", "peers/xmpp/xmpptest", "peers/edge", "ca", "lab/lint", "lab/lesson"},
	{"lab"},
	{"lab/remote", "lab/report"},
	{"lab/web"},
	{"cmd/edgelab"},
}

// pure are the packages that must not reach outside: no clock of their own, no network, no randomness, no files but
// embedded ones.
var pure = []string{"lab/verdict", "lab/topology", "lab/plan", "lab/lesson"}

var impure = []string{"net", "net/http", "crypto/rand", "math/rand", "math/rand/v2", "os", "os/exec", "syscall"}

type goPackage struct {
	ImportPath string
	Imports    []string
}

func (p goPackage) name() string { return strings.TrimPrefix(p.ImportPath, module) }

func packages(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func tierOf(name string) int {
	return slices.IndexFunc(tiers, func(tier []string) bool { return slices.Contains(tier, name) })
}

func TestImportsGoDownward(t *testing.T) {
	for _, p := range packages(t) {
		tier := tierOf(p.name())
		if tier < 0 {
			t.Errorf("package %s has no place in tiers: give it one, here and in CONTRIBUTING.md", p.name())
			continue
		}
		for _, imported := range p.Imports {
			name, own := strings.CutPrefix(imported, module)
			if own && tierOf(name) >= tier {
				t.Errorf("package %s (tier %d) imports %s (tier %d); imports go downward only", p.name(), tier, name, tierOf(name))
			}
		}
	}
}

func TestPurePackages(t *testing.T) {
	for _, p := range packages(t) {
		if !slices.Contains(pure, p.name()) {
			continue
		}
		for _, imported := range p.Imports {
			if slices.Contains(impure, imported) {
				t.Errorf("package %s is pure and imports %s", p.name(), imported)
			}
		}
	}
}

// CONTRIBUTING.md has a line for each package, in its tier.
func TestArchitectureIsDrawn(t *testing.T) {
	text, err := os.ReadFile("../../CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	drawn := map[string]string{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			continue
		}
		for _, name := range strings.Split(cells[2], ",") {
			drawn[strings.Trim(name, " `")] = strings.TrimSpace(cells[1])
		}
	}
	for _, p := range packages(t) {
		if want := strconv.Itoa(tierOf(p.name()) + 1); drawn[p.name()] != want {
			t.Errorf("CONTRIBUTING.md draws package %s in tier %q, want %s", p.name(), drawn[p.name()], want)
		}
	}
}
