package lab

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/edgelab/edgelab/peers/policy"
	"github.com/edgelab/edgelab/scenarios"
)

// BenchmarkCatalogue measures the whole catalogue with the lab's own proof, as edgelab run does it: s-cpu is processor
// time, ms-cpu/leg that of one leg with its part of everything.
func BenchmarkCatalogue(b *testing.B) {
	policies, err := policy.Load()
	if err != nil {
		b.Fatal(err)
	}
	list, err := scenarios.Catalogue(scenarios.Options{Products: policies.Names()})
	if err != nil {
		b.Fatal(err)
	}
	var all cost
	legs := 0
	for b.Loop() {
		all = all.plus(measure(func() {
			res, err := Run(context.Background(), list, Options{Policies: policies})
			if err != nil {
				b.Fatal(err)
			}
			if c := res.Counts(); c.Faults > 0 || c.Differ > 0 || !res.ControlsHold() {
				b.Fatalf("%+v", c)
			}
			legs = len(res.Controls) + res.Counts().Legs
		}))
	}
	n := float64(b.N)
	b.ReportMetric(all.wall.Seconds()/n, "s-wall")
	b.ReportMetric(all.cpu.Seconds()/n, "s-cpu")
	b.ReportMetric(float64(all.cpu)/n/float64(legs)/1e6, "ms-cpu/leg")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkSweep measures a sweep of about SWEEP_LEGS legs (default 2000): the deployment gets as many domains as that
// takes. peak-MiB is the most memory that the process had, the benchmark's own included.
func BenchmarkSweep(b *testing.B) {
	want := number(b, "SWEEP_LEGS", 2000)
	s := domains(b, 1)
	perDomains := func(n int) int {
		s = domains(b, n)
		w, err := newSweeper(s, sweepAll(b))
		if err != nil {
			b.Fatal(err)
		}
		return w.sweep.Total()
	}
	n := 1
	for perDomains(n) < want {
		n++
	}
	var all cost
	legs := 0
	for b.Loop() {
		all = all.plus(measure(func() {
			res, err := MakeSweep(context.Background(), s, sweepAll(b))
			if err != nil || res.Faults() > 0 {
				b.Fatal(err, res.Faults())
			}
			legs = len(res.Rows)
		}))
	}
	b.ReportMetric(float64(legs), "legs")
	b.ReportMetric(all.wall.Seconds()/float64(b.N), "s-wall")
	b.ReportMetric(float64(all.cpu)/float64(b.N*legs)/1e6, "ms-cpu/leg")
	b.ReportMetric(peak(b), "peak-MiB")
	b.ReportMetric(0, "ns/op")
}

func sweepAll(b *testing.B) SweepOptions {
	policies, err := policy.Load()
	if err != nil {
		b.Fatal(err)
	}
	return SweepOptions{Options: Options{Policies: policies}, Products: []string{"all"}, Elements: []string{"all"}}
}

// domains is a deployment with n domains, each for SIP and XMPP.
func domains(b *testing.B, n int) scenarios.Scenario {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("contoso%d.com", i))
	}
	list := strings.Join(names, ", ")
	s, err := scenarios.Load("domains.yaml", fmt.Appendf(nil, "edge: {access: sip.contoso0.com}\nsip-domains: [%s]\nxmpp-domains: [%s]\ncertificates: {external: {eku: [server, client]}}\n", list, list), scenarios.Options{})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func number(b *testing.B, name string, otherwise int) int {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// peak returns the most memory that the process has had, in MiB.
func peak(b *testing.B) float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip(err) // Linux has it there
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		b.Fatal(err)
	}
	return float64(kib) / 1024
}

// BenchmarkPartners measures a federation of 10, 100 and 1,000 partners in one scenario, half SIP and half XMPP: to load
// it, to plan it, and to run it. Each is given for one partner, so that a straight line shows as the same number thrice.
func BenchmarkPartners(b *testing.B) {
	policies, err := policy.Load()
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{10, 100, 1000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			text := federation(n)
			var load, run cost
			legs := 0
			var most atomic.Int64
			for b.Loop() {
				var s scenarios.Scenario
				load = load.plus(measure(func() {
					var err error
					if s, err = scenarios.Load("federation.yaml", text, scenarios.Options{Products: policies.Names()}); err != nil {
						b.Fatal(err)
					}
				}))
				run = run.plus(measure(func() {
					res, err := Run(context.Background(), []scenarios.Scenario{s}, Options{Policies: policies, Progress: func(int, int) {
						most.Store(max(most.Load(), int64(runtime.NumGoroutine())))
					}})
					if err != nil {
						b.Fatal(err)
					}
					if c := res.Counts(); c.Faults > 0 || c.Differ > 0 {
						b.Fatalf("%+v: %s", c, res.Scenarios[0].Error)
					}
					legs = res.Counts().Legs
				}))
			}
			per := func(d time.Duration) float64 { return float64(d) / float64(b.N*n) / 1e6 }
			b.ReportMetric(per(load.cpu), "ms-load/partner")
			b.ReportMetric(per(run.cpu), "ms-run-cpu/partner")
			b.ReportMetric(run.wall.Seconds()/float64(b.N), "s-run-wall")
			b.ReportMetric(float64(legs), "legs")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// federation is a scenario with n partners.
func federation(n int) []byte {
	var text strings.Builder
	text.WriteString("edge: {access: sip.contoso.com}\nsip-domains: [contoso.com]\nxmpp-domains: [contoso.com]\n")
	text.WriteString("certificates:\n  external: {eku: [server, client]}\npartners:\n")
	for i := range n {
		kind := []string{"protocol: sip, product: lync-2013", "protocol: xmpp, product: xmpp-strict"}[i%2]
		fmt.Fprintf(&text, "  - {name: p%d, domain: p%d.example, %s}\n", i, i, kind)
	}
	return []byte(text.String())
}
