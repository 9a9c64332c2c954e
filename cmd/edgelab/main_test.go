package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/verdict"
)

var update = flag.Bool("update", false, "write the golden parts of scripts and of README.md")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"edgelab": main})
}

// TestScripts runs the real program as its users do. Beside testscript's own commands the scripts have
//
//	exits CODE command args...   the command ends with this exit code
//	makefile NAME BYTES BYTE     a file of that many bytes, each of this value
//	repeat NAME TIMES FILE       a file that has another's text that many times
//
//	actions                      does what the README's GitHub Actions workflow does, without its runners
//	job                          does what the README's Kubernetes Job does: a process for each pod
//
//	bought NAME [CHANGE...]      a certificate for the scenario source-deployment: see bought
//	listen NAME [xmpp]           shows that certificate at $ADDRESS
//
// and the folders $CERTS, package judge's certificates, and $CONTOSO, the deployment of README.md's example.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Setup: func(env *testscript.Env) error {
			certs, err := filepath.Abs("../../lab/judge/testdata")
			env.Setenv("CERTS", certs)
			if err != nil {
				return err
			}
			contoso, err := filepath.Abs("../../lab/testdata/contoso")
			env.Setenv("CONTOSO", contoso)
			if err != nil {
				return err
			}
			repository, err := filepath.Abs("../..")
			env.Setenv("REPOSITORY", repository)
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"bought":   bought,
			"actions":  actions,
			"exits":    exits,
			"job":      indexedJob,
			"listen":   listen,
			"makefile": makefile,
			"repeat":   repeat,
		},
	})
}

func exits(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exits CODE command args...")
	}
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("%s ended with exit code %d, want %s", strings.Join(args[1:], " "), got, args[0])
	}
}

func makefile(ts *testscript.TestScript, _ bool, args []string) {
	size, err := strconv.Atoi(args[1])
	ts.Check(err)
	value, err := strconv.ParseUint(args[2], 0, 8)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), bytes.Repeat([]byte{byte(value)}, size), 0o600))
}

func repeat(ts *testscript.TestScript, _ bool, args []string) {
	times, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Repeat(ts.ReadFile(args[2]), times)), 0o600))
}

// call runs the program in this process.
func call(ctx context.Context, env map[string]string, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(ctx, args, streams{strings.NewReader(""), &out, &errs}, func(k string) string { return env[k] })
	return code, out.String(), errs.String()
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	code, stdout, stderr := call(ctx, nil, "run")
	if code != exitInterrupted || stdout != "" || !strings.Contains(stderr, "interrupted") {
		t.Errorf("exit code %d, stdout %q, stderr %q; want 130, nothing, and why", code, stdout, stderr)
	}
}

// A report that was asked for must not be replaced by half of another.
func TestInterruptedKeepsFile(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("report.json", []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if code, _, _ := call(ctx, nil, "run", "--format", "json", "-o", "report.json"); code != exitInterrupted {
		t.Errorf("exit code %d, want 130", code)
	}
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("report.json")
	if err != nil || string(text) != "before" || len(files) != 1 {
		t.Errorf("report.json holds %q (%v), and there are %d files; want it as it was, alone", text, err, len(files))
	}
}

// A flake ends a run with an exit code: that of a difference, or of the environment if the lab itself failed once.
func TestFlakesExit(t *testing.T) {
	for code, second := range map[int]verdict.Code{exitDiffers: verdict.NoAnswer, exitEnvironment: verdict.Inconclusive} {
		r := &lab.Result{Controls: []lab.LegResult{{OK: true}}, Repetition: &lab.Repetition{Runs: 2, Legs: 2, Flakes: []lab.Flake{
			{Drawn: []lab.Drawn{{Verdict: verdict.Trusted, Times: 1}, {Verdict: second, Times: 1}}},
		}}}
		if got := exitCode(outcome(r)); got != code {
			t.Errorf("trusted and then %s: exit code %d, want %d", second, got, code)
		}
	}
}
