package main

import (
	"context"
	"errors"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/edgelab/edgelab/lab/source"
)

// A cli is the command line.
type cli struct {
	Help    helpFlag `short:"h" help:"Show this help, or a command's."`
	NoColor bool     `help:"No colours. The environment variable NO_COLOR says the same."`

	Run         runCmd         `cmd:"" help:"Run scenarios and say whether each leg went as expected."`
	Plan        planCmd        `cmd:"" help:"Print the certificates to order, and why each name is on them."`
	Import      importCmd      `cmd:"" help:"Make a scenario file of a topology's export and partner lists."`
	Check       checkCmd       `cmd:"" help:"Run a deployment with a certificate that was bought, or requested."`
	Mutate      mutateCmd      `cmd:"" help:"Which names and EKUs are load-bearing: take each away in turn."`
	Minimize    minimizeCmd    `cmd:"" help:"The least that must be ordered, proven."`
	Sweep       sweepCmd       `cmd:"" help:"Every product put to every variation of the certificate, in both directions."`
	Timeline    timelineCmd    `cmd:"" help:"Every renewal to come: what changes, what breaks on which day, what to do before."`
	Diff        diffCmd        `cmd:"" help:"What a renewed certificate changes, and what that breaks."`
	Lint        lintCmd        `cmd:"" help:"Hold a certificate against written rules."`
	Scenarios   scenariosCmd   `cmd:"" help:"The catalogue: list it, or print one of its files."`
	Lesson      lessonCmd      `cmd:"" help:"Lessons: a question, a guess to make, the run, the explanation."`
	Explain     explainCmd     `cmd:"" help:"What a verdict means, how to reproduce it, how to mend it; what a rule says."`
	Judge       judgeCmd       `cmd:"" help:"Put a certificate chain to a product, or many."`
	Products    productsCmd    `cmd:"" help:"The products that judge, and where their rules are from."`
	Conformance conformanceCmd `cmd:"" help:"Measure the real products and compare them with their policies."`
	Serve       serveCmd       `cmd:"" help:"Serve the training site on this machine's loopback."`
	Vectors     vectorsCmd     `cmd:"" help:"Every certificate case as a test suite for others, in x509-limbo's format."`
	Report      reportCmd      `cmd:"" help:"Merge reports: those of the shards of a run, or of several runs."`
	Schema      schemaCmd      `cmd:"" help:"Print the JSON Schema of the JSON report."`
	Init        initCmd        `cmd:"" help:"Print a commented scenario file to start from."`
	Up          upCmd          `cmd:"" help:"Stand a lab up on loopback, for a server of your own to federate with."`
	Peer        peerCmd        `cmd:"" help:"Play one host of a lab whose hosts are processes of their own, as in docker-compose.yml."`
	Version     versionCmd     `cmd:"" help:"Print the version."`
	Completion  completionCmd  `cmd:"" help:"Print a completion script for a shell."`
}

const about = "Rehearse a federation certificate before you buy it."

const shortHelp = about + `

  edgelab run                 the catalogue: what works between an Edge and its partners, and what doesn't
  edgelab run contoso.yaml    your deployment; edgelab init prints a file to start from

edgelab --help lists the other commands.`

// An app is what every command gets.
type app struct {
	*printer
	ctx   context.Context
	model *kong.Application
}

// run is the program: it parses args, runs the command, prints what went wrong, and returns the exit code.
func run(ctx context.Context, args []string, s streams, getenv func(string) string) int {
	p := newPrinter(s, getenv)
	err := dispatch(ctx, args, p)
	if err != nil {
		p.failure(err)
	}
	return exitCode(err)
}

func dispatch(ctx context.Context, args []string, p *printer) error {
	if len(args) == 0 {
		return p.result(shortHelp)
	}
	var c cli
	k, err := kong.New(&c,
		kong.Name("edgelab"),
		kong.Description(about+"\n\n"+exitHelp),
		kong.NoDefaultHelp(),
		kong.Writers(p.out, p.err),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoAppDescFormat: true}),
	)
	if err != nil {
		return err
	}
	command, err := k.Parse(args)
	switch {
	case errors.Is(err, errHelpShown):
		return nil
	case err != nil:
		return parseError(err, k.Model, args)
	}
	p.noColour = c.NoColor
	return command.Run(&app{printer: p, ctx: ctx, model: k.Model})
}

// errHelpShown ends the parsing after help was asked for.
var errHelpShown = errors.New("help was shown")

type helpFlag bool

// IgnoreDefault keeps kong from calling the hook when the flag isn't given.
func (helpFlag) IgnoreDefault() {}

// BeforeReset prints help before anything else is looked at, so that help is to be had for a wrong command line too.
func (helpFlag) BeforeReset(ctx *kong.Context) error {
	if err := ctx.PrintUsage(false); err != nil {
		return &outputError{"standard output", stripped(err)}
	}
	return errHelpShown
}

// parseError gives kong's error a hint: the nearest name that there is.
func parseError(err error, model *kong.Application, args []string) error {
	var output *outputError
	if errors.As(err, &output) {
		return output
	}
	var wrong *choiceError
	if errors.As(err, &wrong) {
		return badUsage(source.Suggest(wrong.word, wrong.names), "%s: there is no %q", wrong.what, wrong.word)
	}
	message, _, _ := strings.Cut(err.Error(), ", did you mean")
	hint := "edgelab --help"
	var p *kong.ParseError
	node := model.Node
	if errors.As(err, &p) && p.Context.Selected() != nil {
		node = p.Context.Selected()
		hint = node.FullPath() + " --help"
	}
	if word, ok := strings.CutPrefix(message, "unknown flag "); ok {
		if near, ok := source.Nearest(word, flagNames(node)); ok {
			hint = "did you mean " + near + "?"
		}
	}
	if word, ok := strings.CutPrefix(message, "unexpected argument "); ok {
		if near, ok := source.Nearest(word, commandNames(node)); ok {
			hint = "did you mean " + strings.TrimSpace(node.FullPath()+" "+near) + "?"
		}
		if node == model.Node {
			message = "there is no command " + word
		}
	}
	return badUsage(hint, "%s", message)
}

func flagNames(n *kong.Node) []string {
	var names []string
	for _, group := range n.AllFlags(true) {
		for _, f := range group {
			names = append(names, "--"+f.Name)
		}
	}
	return names
}

func commandNames(n *kong.Node) []string {
	var names []string
	for _, c := range n.Children {
		names = append(names, c.Name)
	}
	return names
}

// A chooser is an argument that must be one of a few words.
type chooser interface{ Choices() []string }

// choicesOf returns the words that a flag or an argument can be, nil if it can be anything.
func choicesOf(v *kong.Value) []string {
	if c, ok := reflect.New(v.Target.Type()).Interface().(chooser); ok {
		return c.Choices()
	}
	return nil
}

// A choiceError is a word that isn't one of a chooser's.
type choiceError struct {
	what, word string
	names      []string
}

func (e *choiceError) Error() string {
	return e.what + " must be one of " + strings.Join(e.names, ", ")
}

// choose returns an error unless word is one of names.
func choose(what, word string, names []string) error {
	for _, n := range names {
		if n == word {
			return nil
		}
	}
	return &choiceError{what, word, names}
}

// words turns named strings into plain ones.
func words[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, w := range list {
		out[i] = string(w)
	}
	return out
}
