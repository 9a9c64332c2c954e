package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const readme = "../../README.md"

// A session is one command of README.md with the output that it shows.
type session struct {
	command string
	output  []string
}

// TestREADME runs every command of the README's console blocks, in order and in one folder, and compares what it prints
// with what is shown there. A line "…" stands for lines that are left out: those that are shown must come in this order.
// Times may differ, and so may the totals of a run, which grow with the catalogue. -update writes the output anew and
// leaves out what was left out.
func TestREADME(t *testing.T) {
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	lab, err := filepath.Abs("../../lab") // some examples have files there
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(lab, filepath.Join(dir, "lab")); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(text), "```console\n")
	for i, part := range parts[1:] {
		block, rest, ok := strings.Cut(part, "```")
		if !ok {
			t.Fatal("a console block doesn't end")
		}
		var written strings.Builder
		for _, s := range sessions(block) {
			got := s.run(t, dir)
			if *update {
				got = abridge(got, s.output)
				written.WriteString("$ " + s.command + "\n" + strings.Join(append(got, ""), "\n"))
			} else if !shows(got, s.output) {
				t.Errorf("$ %s\nprints\n%s\nand README.md shows\n%s\ngo test ./cmd/edgelab -run README -update writes it anew",
					s.command, strings.Join(got, "\n"), strings.Join(s.output, "\n"))
			}
		}
		parts[i+1] = written.String() + "```" + rest
	}
	if *update {
		if err := os.WriteFile(readme, []byte(strings.Join(parts, "```console\n")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func sessions(block string) []session {
	var all []session
	for line := range strings.Lines(block) {
		line = strings.TrimSuffix(line, "\n")
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			all = append(all, session{command: command})
			continue
		}
		if n := len(all); n > 0 {
			all[n-1].output = append(all[n-1].output, line)
		}
	}
	return all
}

// run returns what the command prints. The exit codes 0 and 1 are both a report's.
func (s session) run(t *testing.T, dir string) []string {
	t.Helper()
	program, _, _ := strings.Cut(s.command, " ")
	if _, err := exec.LookPath(program); err != nil && program == "tshark" && os.Getenv("CI") != "true" {
		t.Logf("$ %s: not tried: apt-get install tshark", s.command)
		return s.output
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-c", strings.ReplaceAll(s.command, "go run ./cmd/edgelab", "edgelab"))
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != exitDiffers) {
		t.Fatalf("$ %s: %v\n%s", s.command, err, out)
	}
	if len(out) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

const ellipsis = "…"

// abridge leaves out of got what shown leaves out.
func abridge(got, shown []string) []string {
	at := slices.Index(shown, ellipsis)
	tail := len(shown) - at - 1
	if at < 0 || at+tail >= len(got) {
		return got
	}
	return slices.Concat(got[:at], []string{ellipsis}, got[len(got)-tail:])
}

// shows reports whether shown is what was printed, but for what it leaves out.
func shows(got, shown []string) bool {
	got, shown = steady(got), steady(shown)
	if !slices.Contains(shown, ellipsis) {
		return slices.Equal(got, shown)
	}
	for _, line := range shown {
		if line == ellipsis {
			continue
		}
		at := slices.Index(got, line)
		if at < 0 {
			return false
		}
		got = got[at+1:]
	}
	return true
}

var unsteady = regexp.MustCompile(`\(\d+\.\d s\)|^\d+ scenarios, \d+ legs`)

// steady takes out of lines what differs between runs that say the same.
func steady(lines []string) []string {
	var out []string
	for _, l := range lines {
		out = append(out, unsteady.ReplaceAllString(l, "#"))
	}
	return out
}

// The scenario files that the README shows run as they are, and what they expect comes out.
func TestREADMEScenarios(t *testing.T) {
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(text), "```yaml\n")[1:]
	if len(blocks) == 0 {
		t.Fatal("README.md shows no scenario")
	}
	for _, block := range blocks {
		file, _, _ := strings.Cut(block, "```")
		var out, errs bytes.Buffer
		if code := run(t.Context(), []string{"run", "-"}, streams{strings.NewReader(file), &out, &errs}, os.Getenv); code != exitOK {
			t.Errorf("exit code %d\n%s%s", code, out.String(), errs.String())
		}
	}
}
