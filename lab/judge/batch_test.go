package judge_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"go.uber.org/goleak"

	"github.com/edgelab/edgelab/lab/judge"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// row returns a line for a chain of testdata, with a label to know it by.
func row(t testing.TB, chain string, label int) string {
	t.Helper()
	data, err := json.Marshal(map[string]any{"product": "openssl-3.5", "role": "acceptor", "chain": text(t, chain), "n": label})
	if err != nil {
		t.Fatal(err)
	}
	return string(data) + "\n"
}

type outputLine struct {
	Outcome string
	Labels  struct{ N int }
	Error   string
	Line    int
}

func outputLines(t testing.TB, out []byte) []outputLine {
	t.Helper()
	var all []outputLine
	for line := range bytes.Lines(out) {
		var l outputLine
		if err := json.Unmarshal(line, &l); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		all = append(all, l)
	}
	return all
}

func TestBatchKeepsOrder(t *testing.T) {
	const rows = 500
	var in strings.Builder
	for i := range rows {
		in.WriteString(row(t, []string{"chain-both.pem", "chain-server.pem"}[i%2], i))
	}
	var out bytes.Buffer
	sum, err := newJudge(t).Batch(t.Context(), strings.NewReader(in.String()), &out,
		judge.BatchOptions{Defaults: judge.Row{Roots: file("root.pem")}, Parallel: 8})
	if err != nil || sum != (judge.Summary{Rows: rows}) {
		t.Fatalf("%+v, %v", sum, err)
	}
	lines := outputLines(t, out.Bytes())
	if len(lines) != rows {
		t.Fatalf("%d lines", len(lines))
	}
	for i, l := range lines {
		if want := []string{"trusted", "rejected"}[i%2]; l.Labels.N != i || l.Outcome != want {
			t.Errorf("line %d: label %d, %s; want %s", i+1, l.Labels.N, l.Outcome, want)
		}
	}
}

// A row that can't be judged has its line's number, and the others are judged.
func TestBatchGoesOn(t *testing.T) {
	in := row(t, "chain-both.pem", 1) + "\n" + "nonsense\n" + `{"product":"opensl-3.5"}` + "\r\n" + strings.TrimSpace(row(t, "chain-both.pem", 5))
	var out bytes.Buffer
	sum, err := newJudge(t).Batch(t.Context(), strings.NewReader(in), &out, judge.BatchOptions{Defaults: judge.Row{Roots: file("root.pem")}})
	if err != nil || sum != (judge.Summary{Rows: 4, Failed: 2}) {
		t.Fatalf("%+v, %v", sum, err)
	}
	got := outputLines(t, out.Bytes())
	if got[0].Outcome != "trusted" || got[1].Line != 3 || got[1].Error == "" || got[2].Line != 4 ||
		!strings.Contains(got[2].Error, `"openssl-3.5"`) || got[3].Labels.N != 5 || got[3].Outcome != "trusted" {
		t.Errorf("got\n%s", out.String())
	}
}

func TestBatchLongLine(t *testing.T) {
	in := io.MultiReader(strings.NewReader(`{"x":"`), io.LimitReader(filler{}, 20<<20), strings.NewReader("\n"+row(t, "chain-both.pem", 2)))
	var out bytes.Buffer
	_, err := newJudge(t).Batch(t.Context(), in, &out, judge.BatchOptions{Defaults: judge.Row{Roots: file("root.pem")}})
	if err != nil {
		t.Fatal(err)
	}
	got := outputLines(t, out.Bytes())
	if len(got) != 2 || got[0].Line != 1 || !strings.Contains(got[0].Error, "16 MiB") || got[1].Outcome != "trusted" {
		t.Errorf("got\n%s", out.String())
	}
}

type filler struct{}

func (filler) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}

// Whoever asks one row at a time gets an answer each time.
func TestBatchAnswersAtOnce(t *testing.T) {
	question, ask := io.Pipe()
	listen, answer := io.Pipe()
	done := make(chan error, 1)
	j := newJudge(t)
	go func() {
		_, err := j.Batch(t.Context(), question, answer, judge.BatchOptions{Defaults: judge.Row{Roots: file("root.pem")}})
		done <- errors.Join(err, answer.Close())
	}()
	answers := bufio.NewReader(listen)
	for i := range 3 {
		if _, err := io.WriteString(ask, row(t, "chain-both.pem", i)); err != nil {
			t.Fatal(err)
		}
		line, err := answers.ReadBytes('\n')
		if err != nil || !bytes.Contains(line, fmt.Appendf(nil, `"n":%d`, i)) {
			t.Fatalf("%s, %v", line, err)
		}
	}
	if err := errors.Join(ask.Close(), <-done); err != nil {
		t.Fatal(err)
	}
}

func TestBatchEnds(t *testing.T) {
	broken := errors.New("broken")
	roots := judge.BatchOptions{Defaults: judge.Row{Roots: file("root.pem")}}
	many := strings.Repeat(row(t, "chain-both.pem", 1), 200)
	j := newJudge(t)

	sum, err := j.Batch(t.Context(), io.MultiReader(strings.NewReader(many), iotest.ErrReader(broken)), io.Discard, roots)
	if !errors.Is(err, broken) || sum.Rows != 200 {
		t.Errorf("a reader that fails: %+v, %v; want 200 rows and its error", sum, err)
	}
	if _, err := j.Batch(t.Context(), strings.NewReader(many), failing{broken}, roots); !errors.Is(err, broken) {
		t.Errorf("a writer that fails: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	question, ask := io.Pipe()
	defer ask.Close()
	cancel()
	if _, err := j.Batch(ctx, question, io.Discard, roots); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// BenchmarkBatch is one row, its chain inline and its roots by path.
func BenchmarkBatch(b *testing.B) {
	in := strings.Repeat(row(b, "chain-both.pem", 1)+row(b, "chain-server.pem", 2), b.N/2+1)
	j := newJudge(b)
	b.ReportAllocs()
	b.ResetTimer()
	if _, err := j.Batch(b.Context(), strings.NewReader(in), io.Discard, judge.BatchOptions{Defaults: judge.Row{Roots: file("root.pem")}}); err != nil {
		b.Fatal(err)
	}
}
