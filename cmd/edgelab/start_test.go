package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// BenchmarkStart measures the program from the outside, as it is released: how long it takes to say its version and to run
// one scenario (the middle of 15 times), and how large it is.
func BenchmarkStart(b *testing.B) {
	program := filepath.Join(b.TempDir(), "edgelab")
	if out, err := exec.CommandContext(b.Context(), "go", "build", "-ldflags=-s -w", "-o", program, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	info, err := os.Stat(program)
	if err != nil {
		b.Fatal(err)
	}
	took := func(args ...string) float64 {
		var times []time.Duration
		for range 15 {
			start := time.Now()
			if out, err := exec.CommandContext(b.Context(), program, args...).CombinedOutput(); err != nil {
				b.Fatalf("%v: %s", err, out)
			}
			times = append(times, time.Since(start))
		}
		slices.Sort(times)
		return float64(times[len(times)/2]) / 1e6
	}
	var version, run float64
	for b.Loop() {
		version, run = took("version"), took("run", "--filter", "sip-federation")
	}
	b.ReportMetric(version, "ms-version")
	b.ReportMetric(run, "ms-run-one")
	b.ReportMetric(float64(info.Size())/(1<<20), "MiB")
	b.ReportMetric(0, "ns/op")
}
