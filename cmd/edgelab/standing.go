package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/remote"
	"github.com/edgelab/edgelab/lab/source"
	"github.com/edgelab/edgelab/peers"
	"github.com/edgelab/edgelab/peers/policy"
	"github.com/edgelab/edgelab/scenarios"
)

// standingScenario is the scenario of a lab that stands, where none is named.
const standingScenario = "source-deployment"

// standFlags say which scenario stands, and how.
type standFlags struct {
	Mine map[string]netip.AddrPort `mapsep:"," placeholder:"NAME=ADDRESS:PORT" help:"A partner that your own server plays, and where that answers."`
	At   date                      `placeholder:"DATE" help:"The date on everybody's clock: 2027-03-15. Without it the scenario's own, or else today, as your own server has it."`
	Seed uint64                    `default:"1" help:"Seed of all that is random: serial numbers."`
}

// scenario loads a file, or a scenario of the catalogue by its name.
func (f standFlags) scenario(a *app, name string) (scenarios.Scenario, error) {
	policies, err := policy.Load()
	if err != nil {
		return scenarios.Scenario{}, err
	}
	if name == "" {
		name = standingScenario
	}
	var s scenarios.Scenario
	if _, err := scenarios.Text(name); err == nil {
		s, err = scenarios.LoadCatalogue(name, scenarios.Options{Products: policies.Names()})
		if err != nil {
			return s, err
		}
	} else {
		list, err := a.load([]string{name}, policies)
		if err != nil {
			return s, err
		}
		s = list[0]
	}
	_, dated := s.Positions["at"]
	switch {
	case !f.At.IsZero():
		s.At = f.At.Time
	case !dated:
		s.At = time.Now().UTC().Truncate(24 * time.Hour)
	}
	return s, nil
}

// hostProblem makes the user's fault of a host that was named wrongly.
func hostProblem(err error) error {
	var wrong *lab.HostError
	if !errors.As(err, &wrong) {
		return err
	}
	hint := ""
	if len(wrong.Known) > 0 {
		hint = source.Suggest(wrong.Host, wrong.Known)
	}
	return &usageError{err, hint}
}

// stateProblem makes the user's fault of a folder that isn't a lab's.
func stateProblem(err error) error {
	switch {
	case errors.Is(err, remote.ErrNotState):
		return &usageError{err, "name a folder that is empty, or that isn't there yet"}
	case errors.Is(err, remote.ErrNoState):
		return &usageError{err, "edgelab up --state DIR, or edgelab peer dns --state DIR, makes one"}
	case errors.Is(err, fs.ErrPermission):
		return &usageError{err, "its files are for whoever started the lab"}
	}
	return err
}

// incoming tells of the connections that others opened to the lab, one line each.
type incoming struct {
	app  *app
	json bool
	mu   sync.Mutex
	err  error // of writing a line
}

// failed returns why a line couldn't be written, or nil.
func (i *incoming) failed() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.err
}

func (i *incoming) tell(in lab.Incoming) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.err != nil {
		return
	}
	if i.json {
		i.err = i.app.result(jsonLine(in))
	} else {
		i.err = i.app.result(textLine(in))
	}
}

// textLine is "15:04:05  10.84.0.9 -> edge:5061  client-eku-missing  why".
func textLine(in lab.Incoming) string {
	from, to := connEnds(in.Conn)
	code, why := string(in.Verdict.Code), in.Verdict.Reason
	if in.Verdict.Fault != "" {
		code, why = "incomplete", unfinished(in)
	}
	return fmt.Sprintf("%s  %s -> %s:%d  %s  %s", in.At.Format(time.TimeOnly), from.Addr(), in.Acceptor, to.Port(), code, clean(why))
}

// unfinished says how far a connection got that neither worked nor was refused.
func unfinished(in lab.Incoming) string {
	for i := len(in.Events) - 1; i >= 0; i-- {
		if j := in.Events[i].Judgement; j != nil {
			return fmt.Sprintf("%s finds its certificate %s; nothing was exchanged", in.Acceptor, j.Outcome)
		}
	}
	if n := len(in.Events); n > 0 {
		return "it ended early: " + in.Events[n-1].Text
	}
	return "it ended at once"
}

// clean takes out of a line what could move the cursor: strangers have a say in it.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '·'
		}
		return r
	}, s)
}

// environmentProblem gives a port that can't be had a way out.
func environmentProblem(err error) error {
	var env *peers.EnvError
	if errors.As(err, &env) && errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w; a process of its own needs the real port, so run it as root, or set net.ipv4.ip_unprivileged_port_start to 0", err)
	}
	return err
}
