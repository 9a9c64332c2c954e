package web

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strconv"

	"github.com/edgelab/edgelab/lab/lesson"
	"github.com/edgelab/edgelab/lab/source"
	"github.com/edgelab/edgelab/lab/verdict"
)

// A lessonBody is what a lesson's page shows: the question, and once a guess is made the rest.
type lessonBody struct {
	lesson.Lesson
	Number         int // from 1
	Guess          int // position in Choices; -1: none is made yet
	Right          int // the one that the legs bear out
	Run            *Run
	Seen           []*Cell // of the legs that the question is about
	Scene          State   // the lesson's scenario
	Variations     []variation
	Previous, Next string // names of lessons
}

// A variation is another way to break it.
type variation struct {
	lesson.Break
	URL string
}

// lessonList lists the lessons.
func (s *Site) lessonList(v *visit) error {
	return v.show(http.StatusOK, "lessons", Page{Title: "Lessons", Body: s.lessons})
}

// lesson asks a lesson's question, and answers it with a run once a guess is made.
func (s *Site) lesson(v *visit) error {
	name := v.r.PathValue("name")
	l, err := lesson.Find(name)
	if errors.Is(err, fs.ErrNotExist) {
		return &notFound{fmt.Sprintf("There is no lesson %q.", cut(name)), source.Suggest(name, lesson.Names())}
	}
	if err != nil {
		return err
	}
	b := lessonBody{Lesson: l, Guess: -1, Scene: State{Name: l.Scenario}}
	at := slices.IndexFunc(s.lessons, func(x lesson.Lesson) bool { return x.Name == l.Name })
	b.Number = at + 1
	if at > 0 {
		b.Previous = s.lessons[at-1].Name
	}
	if at+1 < len(s.lessons) {
		b.Next = s.lessons[at+1].Name
	}
	if word := v.r.URL.Query().Get("guess"); word != "" {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 || n > len(l.Choices) {
			return &badState{fmt.Sprintf("the lesson has the guesses 1 to %d", len(l.Choices)), ""}
		}
		b.Guess = n - 1
		if err := s.answer(v, &b); err != nil {
			return err
		}
	}
	return v.show(http.StatusOK, "lesson", Page{Title: l.Title, View: "lessons", Body: b})
}

// answer makes the legs of a lesson, and sees which guess they bear out.
func (s *Site) answer(v *visit, b *lessonBody) error {
	l, err := s.load(b.Scene)
	if err != nil {
		return err
	}
	if b.Run, err = s.run(v, l); err != nil {
		return err
	}
	verdicts := map[string]verdict.Code{}
	for _, leg := range b.Run.Legs {
		verdicts[leg.ID] = leg.Verdict
	}
	if b.Right, err = b.Lesson.Right(verdicts); err != nil {
		return err
	}
	for _, pattern := range b.Look {
		for _, leg := range b.Run.Legs {
			if lesson.Means(pattern, leg.ID) && !slices.ContainsFunc(b.Seen, func(c *Cell) bool { return c.ID == leg.ID }) {
				b.Seen = append(b.Seen, newCell(b.Scene, b.Run, leg))
			}
		}
	}
	for _, x := range b.Breaks {
		b.Variations = append(b.Variations, variation{x, State{Text: x.Text}.URL("lab")})
	}
	return nil
}
