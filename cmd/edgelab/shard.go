package main

import (
	"regexp"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/report"
)

// A shardFlag is --shard, with or without a value behind it.
type shardFlag struct {
	given bool
	text  string // empty: what the environment says
}

var shardWord = regexp.MustCompile(`^-?[0-9]+/-?[0-9]+$`)

// IsBool tells kong that the flag needs no value.
func (*shardFlag) IsBool() bool { return true }

// Decode takes the word that follows if it looks like a shard, so that --shard 3/16 and --shard file.yaml both work.
func (f *shardFlag) Decode(ctx *kong.DecodeContext) error {
	f.given = true
	next := ctx.Scan.Peek()
	text, ok := next.Value.(string)
	switch {
	case next.Type == kong.FlagValueToken && ok:
		ctx.Scan.Pop()
		f.text = text
		if text == "" {
			return badUsage("write it like --shard 3/16", "--shard= has no value")
		}
	case ok && shardWord.MatchString(text):
		ctx.Scan.Pop()
		f.text = text
	}
	return nil
}

// shard returns the part of the run that is meant; the zero value if all of it is.
func (f *shardFlag) shard(a *app) (lab.Shard, error) {
	switch {
	case !f.given:
		return lab.Shard{}, nil
	case f.text != "":
		s, err := lab.ParseShard(f.text)
		if err != nil {
			return s, badUsage("", "--shard: %v", err)
		}
		return s, nil
	}
	s, err := lab.ShardOf(a.getenv)
	if err != nil {
		return s, badUsage("give it: --shard 3/16", "--shard: %v", err)
	}
	return s, nil
}

// shardSystems names what --shard without a number reads, for help.
func shardSystems() string {
	var b strings.Builder
	for i, s := range lab.ShardSystems() {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(s.Name + ": " + s.Index + ", " + s.Total)
	}
	return b.String()
}

// costs reads what the parts of a run took from a report of it; nil if none is named.
func (a *app) costs(file string) (*lab.Costs, error) {
	if file == "" {
		return nil, nil
	}
	r, err := a.readReport(file)
	if err != nil {
		return nil, err
	}
	return lab.CostsOf(r), nil
}

// maxReport is the size from which on a report isn't read.
const maxReport = 1 << 30

func (a *app) readReport(file string) (*lab.Result, error) {
	text, err := a.contents(file, maxReport)
	if err != nil {
		return nil, err
	}
	r, err := report.Read(text)
	if err != nil {
		return nil, badUsage("give what edgelab run --format json wrote", "%s: %v", file, err)
	}
	return r, nil
}
