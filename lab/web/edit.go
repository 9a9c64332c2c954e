package web

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/edgelab/edgelab/lab/source"
	"github.com/edgelab/edgelab/scenarios"
)

// An editBody is what the editor shows.
type editBody struct {
	Name     string // of the catalogue's scenario that it began with
	Text     string
	Lines    []Line
	Problems []source.Problem
	Checked  bool // Text was looked at, and nothing is wrong with it
	Most     int  // characters
}

// A Line is one line's number with what is wrong there.
type Line struct {
	Number   int
	Problems []source.Problem
}

// Rows is how many lines the editor has: some more than the text, to write on.
func (b editBody) Rows() int { return max(len(b.Lines)+2, 16) }

func newEditBody(name, text string, problems []source.Problem) editBody {
	b := editBody{Name: name, Text: text, Problems: problems, Checked: true, Most: maxText}
	for i := range strings.Split(text, "\n") {
		line := Line{Number: i + 1}
		for _, p := range problems {
			if p.Line == line.Number && p.File == writtenFile {
				line.Problems = append(line.Problems, p)
			}
		}
		b.Lines = append(b.Lines, line)
	}
	return b
}

// edit shows a scenario's text, and what is wrong with it beside its lines.
func (s *Site) edit(v *visit) error {
	st, err := parseState(v.r.URL.Query(), s.profiles)
	if err != nil {
		return err
	}
	text := st.Text
	switch {
	case text != "":
	case st.Name != "":
		t, err := scenarios.Text(st.Name)
		if err != nil {
			return &notFound{fmt.Sprintf("The catalogue has no scenario %q.", st.Name), source.Suggest(st.Name, scenarios.Names())}
		}
		text = string(t)
	default:
		text = string(scenarios.Init())
	}
	page := Page{Title: "Write a scenario", Body: newEditBody(st.Name, text, s.problems(text))}
	if st.Name != "" || st.Text != "" {
		page.State = &st
	}
	return v.show(http.StatusOK, "edit", page)
}

// problems returns what is wrong with a scenario's text.
func (s *Site) problems(text string) []source.Problem {
	_, err := scenarios.Load(writtenFile, []byte(text), s.loaderOptions())
	var wrong *source.Error
	if errors.As(err, &wrong) {
		return wrong.Problems
	}
	return nil
}

// written reads the text of a form.
func (v *visit) written() (string, error) {
	if err := v.r.ParseForm(); err != nil {
		return "", err
	}
	text := strings.ReplaceAll(v.r.PostForm.Get("text"), "\r\n", "\n")
	if len(text) > maxText {
		return "", &http.MaxBytesError{Limit: maxText}
	}
	return text, nil
}

// save sends a text that is right to its plan, and one that isn't back to the editor. Either way it is in the address.
func (s *Site) save(v *visit) error {
	text, err := v.written()
	if err != nil {
		return err
	}
	if strings.TrimSpace(text) == "" {
		return v.redirect("/edit")
	}
	if len(pack(text)) > maxPacked {
		return &http.MaxBytesError{Limit: maxPacked}
	}
	view := "lab"
	if s.problems(text) != nil {
		view = "edit"
	}
	return v.redirect(State{Text: text}.URL(view))
}

// check answers with the editor's page for a text that isn't saved, for the script to take the problems from.
func (s *Site) check(v *visit) error {
	text, err := v.written()
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "edit", Page{Title: "Write a scenario", Body: newEditBody("", text, s.problems(text))})
}

// file is the scenario as a file to keep.
func (s *Site) file(v *visit) error {
	l, err := v.state()
	if err != nil {
		return err
	}
	name := l.Scenario.Name + ".yaml"
	v.w.Header().Set("Content-Type", "application/yaml; charset=utf-8")
	v.w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name))
	_, _ = v.w.Write([]byte(l.Source)) // a visitor who is gone misses nothing
	return nil
}
