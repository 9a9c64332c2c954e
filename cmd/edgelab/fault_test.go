package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The fault matrix runs the real program on a machine that lacks something, and wants three things each time: an exit code
// that tells, no file that is half written or left over, and no stack trace. What was there before stays.

const faultScenario = "base: sip-federation\n"

// faulty is a folder with a scenario, a report from before, and nothing else.
func faulty(t *testing.T) string {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the faults are made with Linux's own means")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"good.yaml": faultScenario, "report.json": "before"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// sh runs a shell script in dir and returns its exit code and what it wrote.
func sh(t *testing.T, dir, script string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", append([]string{"-c", script, "sh"}, args...)...)
	cmd.Dir = dir
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// untouched wants dir to be as faulty made it, or with a whole report.
func untouched(t *testing.T, dir string, replaced bool) {
	t.Helper()
	var names []string
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if !slices.Equal(names, []string{"good.yaml", "report.json"}) {
		t.Errorf("files %v", names)
	}
	text, err := os.ReadFile(filepath.Join(dir, "report.json"))
	whole := bytes.HasPrefix(text, []byte("{")) && bytes.HasSuffix(text, []byte("}\n"))
	if err != nil || (replaced && !whole) || (!replaced && string(text) != "before") {
		t.Errorf("the report has %d bytes (%v), and it was replaced: %v", len(text), err, replaced)
	}
}

func TestFaults(t *testing.T) {
	for name, tt := range map[string]struct {
		script   string
		code     int
		stderr   string
		replaced bool
	}{
		"nothing":                         {`edgelab run --format json -o report.json good.yaml`, 0, "", true},
		"a limit on the size of files":    {`ulimit -f 8; edgelab run --format json -o report.json good.yaml`, 3, "report.json: file too large", false},
		"standard output is full":         {`edgelab run good.yaml >/dev/full`, 3, "no space left on device", false},
		"standard output is closed":       {`edgelab run --format json -o report.json good.yaml >&-`, 0, "", true}, // Go opens /dev/null in its place
		"the reader has seen enough":      {`edgelab run -v good.yaml | head -n 1`, 0, "", false},
		"standard input is closed":        {`edgelab run - <&-`, 2, "the file is empty", false},
		"a folder nobody may write to":    {`mkdir no; chmod 0500 no; test "$(id -u)" = 0 && { rmdir no; echo permission denied >&2; exit 3; }; edgelab run -o no/report.json good.yaml; code=$?; rmdir no; exit $code`, 3, "permission denied", false},
		"too few file descriptors: 12":    {`ulimit -n 12; edgelab run --format json -o report.json good.yaml`, 3, "too many open files", false},
		"too few file descriptors: 24":    {`ulimit -n 24; edgelab run --format json -o report.json good.yaml`, 3, "too many open files", false},
		"no temporary folder":             {`TMPDIR=/nowhere edgelab run --format json -o report.json good.yaml`, 0, "", true},
		"no home":                         {`env -i PATH="$PATH" edgelab run --format json -o report.json good.yaml`, 0, "", true},
		"another time zone and no locale": {`TZ=Pacific/Kiritimati LC_ALL=C edgelab run --format json -o report.json good.yaml`, 0, "", true},
		"a scenario of 100 MB":            {`{ cat good.yaml; head -c 100000000 /dev/zero | tr '\0' '#'; } | edgelab run -`, 2, "more than 1 MiB", false},
		"a scenario that doubles itself":  {`{ printf 'a: &a [x,x]\n'; for i in b c d e f g h i j k l m n o p q r s t u v w x y z; do printf '%s: &%s [*%s,*%s]\n' $i $i $(printf $i | tr b-z a-y) $(printf $i | tr b-z a-y); done; } | edgelab run -`, 2, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := faulty(t)
			code, _, stderr := sh(t, dir, tt.script)
			if code != tt.code || !strings.Contains(stderr, tt.stderr) || strings.Contains(stderr, "goroutine ") {
				t.Errorf("exit code %d, want %d; standard error %q, want %q in it", code, tt.code, stderr, tt.stderr)
			}
			untouched(t, dir, tt.replaced)
		})
	}
}

// With any number of file descriptors the run is either whole or says that the machine is at fault; never does a leg get
// another verdict because of it.
func TestFewFileDescriptors(t *testing.T) {
	for _, n := range []int{32, 40, 48, 64, 96, 160} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			dir := faulty(t)
			code, stdout, stderr := sh(t, dir, fmt.Sprintf("ulimit -n %d; exec edgelab run good.yaml", n))
			if code != exitOK && code != exitEnvironment {
				t.Errorf("exit code %d\n%s\n%s", code, stdout, stderr)
			}
			untouched(t, dir, false)
		})
	}
}

// In a network of its own, whose ports are taken or which lacks loopback addresses, the lab uses others; without a network
// it says so.
func TestFaultyNetwork(t *testing.T) {
	for name, tt := range map[string]struct {
		script string
		code   int
		stderr string
	}{
		"every usual port is taken": {`ip link set lo up; for p in 53 80 443 5061 5062 5269; do edgelab-holds $p & done; sleep 1; edgelab run --format json -o report.json good.yaml`, 0, ""},
		"no loopback aliases":       {`ip link set lo up; ip addr del 127.0.0.1/8 dev lo; ip addr add 127.0.0.1/32 dev lo; ip route flush table local; ip route add local 127.0.0.1 dev lo table local; edgelab run --format json -o report.json good.yaml`, 0, ""},
		"no network":                {`edgelab run --format json -o report.json good.yaml`, 3, "edgelab: "},
	} {
		t.Run(name, func(t *testing.T) {
			dir := faulty(t)
			separate(t, "npf")
			script := strings.ReplaceAll(tt.script, "edgelab-holds $p", holder)
			code, stdout, stderr := sh(t, dir, `exec unshare -rnpf sh -c "$1"`, script)
			if code != tt.code || !strings.Contains(stderr, tt.stderr) || strings.Contains(stderr, "goroutine ") {
				t.Errorf("exit code %d, want %d\n%s\n%s", code, tt.code, stdout, stderr)
			}
			untouched(t, dir, tt.code == 0)
		})
	}
}

// holder takes a port on every address, for TCP and UDP.
const holder = `openssl s_server -nocert -accept 0.0.0.0:$p -quiet -psk 00 </dev/zero >/dev/null 2>&1`

// separate skips a test for which this system gives no namespaces of its own.
func separate(t *testing.T, what string) {
	t.Helper()
	if err := exec.CommandContext(t.Context(), "unshare", "-r"+what, "true").Run(); err != nil {
		t.Skipf("this system gives no namespace: unshare -r%s: %v", what, err)
	}
}

// A disk that is full while a report is written.
func TestFullDisk(t *testing.T) {
	dir := faulty(t)
	separate(t, "mpf")
	code, stdout, stderr := sh(t, dir, `exec unshare -rmpf sh -c 'mkdir disk; mount -t tmpfs -o size=16k none disk; echo before >disk/report.json; edgelab run --format json -o disk/report.json good.yaml; code=$?; ls -A disk; cat disk/report.json; umount disk; rmdir disk; exit $code'`)
	if code != exitEnvironment || stdout != "report.json\nbefore\n" || !strings.Contains(stderr, "no space left on device") {
		t.Errorf("exit code %d, standard output %q, standard error %q", code, stdout, stderr)
	}
	untouched(t, dir, false)
}

// SIGINT and SIGTERM end a run in each of its phases with exit code 130, and leave what was there.
func TestSignals(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		for _, after := range []time.Duration{0, 50 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second} {
			t.Run(fmt.Sprint(sig, " after ", after), func(t *testing.T) {
				dir := faulty(t)
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
				defer cancel()
				cmd := exec.CommandContext(ctx, "edgelab", "run", "--repeat", "1000000", "--format", "json", "-o", "report.json")
				cmd.Dir = dir
				var errs bytes.Buffer
				cmd.Stderr = &errs
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				time.Sleep(after)
				if err := cmd.Process.Signal(sig); err != nil {
					t.Fatal(err)
				}
				_ = cmd.Wait()
				state := cmd.ProcessState.Sys().(syscall.WaitStatus)
				early := state.Signaled() && state.Signal() == sig // before main had begun
				if !early && state.ExitStatus() != exitInterrupted {
					t.Errorf("ended with %v: %s", cmd.ProcessState, errs.String())
				}
				untouched(t, dir, false)
			})
		}
	}
}

// No private key of a lab is in any report or in the evidence.
func TestNoPrivateKeyInReports(t *testing.T) {
	dir := faulty(t)
	for _, format := range []string{"text", "html", "json", "junit", "sarif", "tap", "markdown", "github"} {
		code, stdout, stderr := sh(t, dir, `exec edgelab run -v --format "$1" good.yaml`, format)
		if code != exitOK {
			t.Fatalf("%s: exit code %d: %s", format, code, stderr)
		}
		// PEM, and the beginnings of PKCS#8 in base64 and hex for the keys that the lab makes: RSA, P-256.
		for _, key := range []string{"PRIVATE KEY", "MIIEv", "MIIEow", "MIGHAgEA", "308204be", "308187020100"} {
			if strings.Contains(stdout, key) {
				t.Errorf("%s has %q", format, key)
			}
		}
	}
}

// What the program writes that holds keys is for its owner alone.
func TestKeyFilesAreForTheOwnerAlone(t *testing.T) {
	dir := faulty(t)
	code, _, stderr := sh(t, dir, `umask 0; SSLKEYLOGFILE=tls.keys edgelab run good.yaml && edgelab plan --csr requests good.yaml`)
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	n := 0
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if bytes.Contains(text, []byte("PRIVATE KEY")) || bytes.Contains(text, []byte("CLIENT_RANDOM")) || bytes.Contains(text, []byte("_TRAFFIC_SECRET")) {
			if n++; info.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %v", path, info.Mode())
			}
		}
		return nil
	})
	if err != nil || n < 2 {
		t.Errorf("%d files with keys (%v), want the key log and at least one request's", n, err)
	}
}
