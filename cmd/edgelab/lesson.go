package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/lesson"
	"github.com/edgelab/edgelab/lab/report"
	"github.com/edgelab/edgelab/lab/source"
	"github.com/edgelab/edgelab/peers/policy"
	"github.com/edgelab/edgelab/scenarios"
)

type lessonCmd struct {
	Name   lessonName `arg:"" optional:"" help:"The lesson, as the list has it. Without: the list."`
	Guess  int        `placeholder:"N" help:"Your guess; nothing is asked then."`
	Answer bool       `help:"Don't ask, tell."`
	Break  int        `placeholder:"N" help:"Print the scenario file of the lesson's Nth variation and do nothing else."`
}

// Help says when it asks.
func (lessonCmd) Help() string {
	return "On a terminal a lesson asks for a guess, and waits between its parts. Elsewhere, and with --guess or --answer, it goes through without a question. What it tells of legs is what they did just now."
}

// Run lists the lessons, or teaches one.
func (c lessonCmd) Run(a *app) error {
	all, err := lesson.All()
	if err != nil {
		return err
	}
	if c.Name == "" {
		if c.Guess != 0 || c.Answer || c.Break != 0 {
			return badUsage("edgelab lesson lists them", "--guess, --answer and --break are for one lesson, and none is named")
		}
		return a.result(report.LessonList(all))
	}
	at := slices.IndexFunc(all, func(l lesson.Lesson) bool { return l.Name == string(c.Name) })
	if at < 0 {
		return badUsage(source.Suggest(string(c.Name), lesson.Names()), "there is no lesson %q", string(c.Name))
	}
	l := all[at]
	switch {
	case c.Guess < 0 || c.Guess > len(l.Choices):
		return badUsage("edgelab lesson "+l.Name+" shows them", "--guess %d: the lesson has the guesses 1 to %d", c.Guess, len(l.Choices))
	case c.Break < 0 || c.Break > len(l.Breaks):
		return badUsage("edgelab lesson "+l.Name+" shows them", "--break %d: the lesson has the variations 1 to %d", c.Break, len(l.Breaks))
	case c.Break > 0:
		return a.result(l.Breaks[c.Break-1].Text)
	}
	r, err := a.lesson(l)
	if err != nil {
		return err
	}
	next := ""
	if at+1 < len(all) {
		next = all[at+1].Name
	}
	return c.teach(a, r, fmt.Sprintf("%d of %d", at+1, len(all)), next)
}

// lesson makes the legs of a lesson and of its variations.
func (a *app) lesson(l lesson.Lesson) (report.LessonRun, error) {
	policies, err := policy.Load()
	if err != nil {
		return report.LessonRun{}, err
	}
	list, err := l.Scenarios(scenarios.Options{Products: policies.Names()})
	if err != nil {
		return report.LessonRun{}, err
	}
	result, err := lab.Run(a.ctx, list, lab.Options{Seed: 1, Policies: policies, Progress: a.progress})
	if err != nil {
		return report.LessonRun{}, err
	}
	a.clear()
	if !result.ControlsHold() {
		return report.LessonRun{}, lab.ErrControls
	}
	for _, s := range result.Scenarios {
		if s.Error != "" {
			return report.LessonRun{}, fmt.Errorf("%s: %s", s.Name, s.Error)
		}
		for _, leg := range s.Legs {
			if leg.Fault != "" {
				return report.LessonRun{}, fmt.Errorf("%s: %s: %s", s.Name, leg.ID, leg.Fault)
			}
		}
	}
	r := report.LessonRun{Lesson: l, Run: result.Scenarios[0], Breaks: result.Scenarios[1:]}
	r.Right, err = l.Right(report.Verdicts(r.Run))
	return r, err
}

// teach goes through a lesson, part by part.
func (c lessonCmd) teach(a *app, r report.LessonRun, place, next string) error {
	o := report.Options{Colour: a.colour(a.out)}
	if err := a.result(r.Question(place, o)); err != nil {
		return err
	}
	asks := c.Guess == 0 && !c.Answer && a.terminal(a.in) && a.terminal(a.out)
	guess := c.Guess - 1
	in := bufio.NewReader(a.in)
	if asks {
		var err error
		if guess, err = a.guess(in, len(r.Choices)); err != nil {
			return err
		}
	}
	if err := a.result(r.Outcome(guess, o)); err != nil {
		return err
	}
	for i := range r.Breaks {
		if asks {
			if _, err := a.ask(in, "Enter for the next part: "); err != nil {
				return err
			}
		}
		if err := a.result(r.Variation(i, o)); err != nil {
			return err
		}
	}
	return a.result(r.Closing(next, o))
}

// guess asks until it gets a number from 1 to most, or nothing. It returns the position, -1 for nothing.
func (a *app) guess(in *bufio.Reader, most int) (int, error) {
	for {
		text, err := a.ask(in, fmt.Sprintf("What do you think, 1 to %d? ", most))
		if err != nil || text == "" {
			return -1, err
		}
		if n, err := strconv.Atoi(text); err == nil && n >= 1 && n <= most {
			return n - 1, nil
		}
	}
}

// ask asks on the screen and waits for a line, which may end with the input.
func (a *app) ask(in *bufio.Reader, question string) (string, error) {
	a.prompt(question)
	type answer struct {
		text string
		err  error
	}
	read := make(chan answer, 1)
	// A terminal can't be told to stop waiting. After an interruption this ends with the program, a moment later.
	go func() {
		text, err := in.ReadString('\n')
		read <- answer{text, err}
	}()
	select {
	case <-a.ctx.Done():
		return "", context.Canceled
	case r := <-read:
		// A closed input answers nothing, as does a terminal that hung up, which gives EIO.
		var pathErr *fs.PathError
		if r.err != nil && !errors.Is(r.err, io.EOF) && !errors.As(r.err, &pathErr) {
			return "", r.err
		}
		if r.err != nil {
			a.prompt("\n")
		}
		return strings.TrimSpace(r.text), nil
	}
}

type lessonName string

// Choices returns the lessons, for completion.
func (lessonName) Choices() []string { return lesson.Names() }
