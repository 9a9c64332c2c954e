package remote_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/scenarios"
)

const root = "../.."

// A composeFile is what of docker-compose.yml keeps the lab to itself.
type composeFile struct {
	Services map[string]struct {
		Ports       []string `yaml:"ports"`
		ReadOnly    bool     `yaml:"read_only"`
		User        string   `yaml:"user"`
		CapDrop     []string `yaml:"cap_drop"`
		CapAdd      []string `yaml:"cap_add"`
		Privileged  bool     `yaml:"privileged"`
		SecurityOpt []string `yaml:"security_opt"`
		NetworkMode string   `yaml:"network_mode"`
		Networks    any      `yaml:"networks"`
	} `yaml:"services"`
	Networks map[string]struct {
		Internal bool `yaml:"internal"`
	} `yaml:"networks"`
}

// What is published is published on loopback, networks lead nowhere, and no container can do more than it has to.
func TestComposeFile(t *testing.T) {
	text, err := os.ReadFile(root + "/docker-compose.yml")
	check(t, err)
	var f composeFile
	check(t, yaml.Unmarshal(text, &f))
	if len(f.Services) < 10 {
		t.Fatalf("%d services were read", len(f.Services))
	}
	for name, s := range f.Services {
		for _, p := range s.Ports {
			if !strings.HasPrefix(p, "127.0.0.1:") {
				t.Errorf("%s publishes %s to more than loopback", name, p)
			}
		}
		if !s.ReadOnly || s.User != "65534:65534" || !slices.Equal(s.CapDrop, []string{"ALL"}) || len(s.CapAdd) > 0 || s.Privileged ||
			!slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s may do more than it has to: %+v", name, s)
		}
		if s.NetworkMode != "" && !strings.HasPrefix(s.NetworkMode, "service:") {
			t.Errorf("%s has network_mode %s", name, s.NetworkMode)
		}
		if s.Networks == nil && s.NetworkMode == "" {
			t.Errorf("%s is in the default network", name)
		}
	}
	for name, n := range f.Networks {
		if !n.Internal && name != "site" { // a port can't be published from an internal network
			t.Errorf("the network %s leads out", name)
		}
	}
}

// A composed lab is one that docker-compose has started.
type composed struct {
	t       *testing.T
	command []string
	env     []string
}

// compose returns how docker-compose is called here.
func compose(t *testing.T) []string {
	t.Helper()
	missing := func(why string) []string {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s, and with CI=true this test must run", why)
		}
		t.Skipf("%s: the containers' verdicts aren't compared here", why)
		return nil
	}
	if out, err := exec.Command("docker", "info").CombinedOutput(); err != nil {
		return missing(fmt.Sprintf("there is no docker engine (%v, %.100s)", err, out))
	}
	if exec.Command("docker", "compose", "version").Run() == nil {
		return []string{"docker", "compose"}
	}
	if _, err := exec.LookPath("docker-compose"); err != nil {
		return missing("there is neither docker compose nor docker-compose")
	}
	return []string{"docker-compose"}
}

func (c *composed) run(args ...string) []byte {
	c.t.Helper()
	var errs bytes.Buffer
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	args = append(slices.Clone(c.command[1:]), args...)
	cmd := exec.CommandContext(ctx, c.command[0], args...)
	cmd.Dir, cmd.Env, cmd.Stderr = root, append(os.Environ(), c.env...), &errs
	out, err := cmd.Output()
	if err != nil {
		c.t.Errorf("%s: %v\n%s%s", strings.Join(args, " "), err, errs.String(), out)
	}
	return out
}

// leftovers are what of a project the engine still has.
func (c *composed) leftovers(project, image string) string {
	var left strings.Builder
	for _, list := range [][]string{
		{"ps", "-aq", "--filter", "label=com.docker.compose.project=" + project},
		{"network", "ls", "-q", "--filter", "label=com.docker.compose.project=" + project},
		{"volume", "ls", "-q", "--filter", "label=com.docker.compose.project=" + project},
		{"images", "-q", image},
	} {
		out, err := exec.Command("docker", list...).Output()
		check(c.t, err)
		left.Write(out)
	}
	return left.String()
}

// Hosts in containers of their own come to the verdicts of one process, leg by leg.
func TestCompose(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts some twenty containers")
	}
	command := compose(t)
	project := fmt.Sprintf("edgelab-test-%d", os.Getpid())
	c := &composed{t: t, command: append(command, "-p", project), env: []string{"EDGELAB_IMAGE=" + project}}
	t.Cleanup(func() {
		c.run("down", "-v", "--remove-orphans")
		for _, tag := range []string{":lab", ":real"} {
			out, err := exec.Command("docker", "rmi", "-f", project+tag).CombinedOutput()
			if err != nil && !bytes.Contains(out, []byte("No such image")) {
				t.Errorf("%v: %s", err, out)
			}
		}
		if left := c.leftovers(project, project); left != "" {
			t.Errorf("left over:\n%s", left)
		}
	})
	images := exec.Command(root + "/.docker/images")
	images.Env = append(os.Environ(), c.env...)
	if out, err := images.CombinedOutput(); err != nil {
		if os.Getenv("CI") != "true" {
			t.Skipf("the images can't be made here: %v\n%s", err, out)
		}
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"real-partners", "real-partners-name-missing"} {
		t.Run(name, func(t *testing.T) {
			c := &composed{t: t, command: c.command, env: append(slices.Clone(c.env), "EDGELAB_SCENARIO="+name)}
			c.run("up", "-d")
			out := c.run("run", "--rm", "-T", "lab", "run", "--remote", "--format", "json")
			var got lab.Result
			if err := json.Unmarshal(out, &got); err != nil || len(got.Scenarios) != 1 {
				t.Fatalf("%v in %.500s\n%s", err, out, c.run("logs", "--no-color", "--tail", "40"))
			}
			s := scenario(t, name)
			s.At = got.Scenarios[0].At // the real products' clock can't be set, so it is today
			want, err := lab.Run(t.Context(), []scenarios.Scenario{s}, lab.Options{Seed: 1})
			check(t, err)
			containers(t, got.Scenarios[0], want.Scenarios[0])
			if t.Failed() {
				t.Logf("%s", c.run("logs", "--no-color", "--tail", "60"))
			}
		})
	}
}

// containers compares a run across containers with one in a process, but for the legs of the partners that only the
// profile "real" has.
func containers(t *testing.T, got, want lab.ScenarioResult) {
	t.Helper()
	have, compared := map[string]lab.LegResult{}, 0
	for _, l := range got.Legs {
		have[l.ID] = l
	}
	for _, l := range want.Legs {
		if slices.ContainsFunc([]string{l.Initiator, l.Acceptor}, func(a string) bool { return a == "prosody" || a == "kamailio" }) {
			continue
		}
		compared++
		g := have[l.ID]
		if g.Verdict != l.Verdict || !g.OK {
			t.Errorf("%s: %q (%s) in containers, %q in one process; as expected: %v", l.ID, g.Verdict, g.Reason, l.Verdict, g.OK)
		}
	}
	if len(got.Legs) != compared || compared == 0 {
		t.Errorf("%d legs in containers, %d in one process", len(got.Legs), compared)
	}
}
