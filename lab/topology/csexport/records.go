package csexport

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/edgelab/edgelab/lab/source"
)

// csv reads what Export-Csv writes: perhaps a line "#TYPE name", a header, a line for each object.
func (t *text) csv() ([]record, error) {
	data, typ := t.data, ""
	first := 0
	if rest, ok := bytes.CutPrefix(data, []byte("#TYPE")); ok {
		line, _, _ := bytes.Cut(rest, []byte("\n"))
		typ, first = strings.TrimSpace(string(line)), min(len("#TYPE")+len(line)+1, len(data))
	}
	r := csv.NewReader(bytes.NewReader(data[first:]))
	r.Comma = delimiter(data[first:])
	lines := bytes.Count(data[:first], []byte("\n"))
	at := func(field int) source.Pos {
		line, column := r.FieldPos(field)
		return source.Pos{File: t.name, Line: line + lines, Column: column}
	}
	header, err := r.Read()
	if err != nil {
		return nil, t.csvFault(err, lines)
	}
	header = slices.Clone(header)
	for i, name := range header {
		header[i] = strings.TrimSpace(name)
	}
	var all []record
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, t.csvFault(err, lines)
		}
		if len(all) >= maxElements {
			return nil, t.fault(at(0), "", "more than %d entries", maxElements)
		}
		rec := record{pos: at(0), typ: typ, columns: header, values: map[string][]string{}}
		for i, v := range fields {
			switch {
			case strings.HasPrefix(v, "Microsoft.Rtc.") || strings.HasPrefix(v, "System.Collections."):
				rec.lost = append(rec.lost, header[i])
			case v != "":
				rec.values[header[i]] = []string{v}
			}
		}
		all = append(all, rec)
	}
}

// delimiter is a comma, or with -UseCulture what the system's language has instead.
func delimiter(data []byte) rune {
	line, _, _ := bytes.Cut(data, []byte("\n"))
	if bytes.Count(line, []byte(";")) > bytes.Count(line, []byte(",")) {
		return ';'
	}
	return ','
}

func (t *text) csvFault(err error, lines int) error {
	pos := source.Pos{File: t.name, Line: max(lines, 1), Column: 1}
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		pos.Line, pos.Column = parse.Line+lines, max(parse.Column, 1)
		err = parse.Err
	}
	if errors.Is(err, io.EOF) {
		return t.fault(pos, "", "there is no header line")
	}
	return t.fault(pos, "export the list with Export-Csv or Export-Clixml", "this isn't CSV: %v", err)
}

const nsPowerShell = "http://schemas.microsoft.com/powershell/2004/04"

// clixml reads what Export-Clixml writes: an Obj for each object, with its type names and its properties.
func (t *text) clixml() ([]record, error) {
	root, err := t.parse(func(e *element) error {
		if e.name.Local == "Topology" || e.name.Local == "TopologyBuilder" {
			return t.fault(e.pos, "", "this is a topology, not a partner list")
		}
		if e.name.Local != "Objs" || e.name.Space != nsPowerShell {
			return t.fault(e.pos, "export the list with Export-Csv or Export-Clixml", "<%s> of namespace %q isn't what Export-Clixml writes", e.name.Local, e.name.Space)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	c := clixml{t: t, types: map[string]string{}}
	c.objects(root)
	return c.records, nil
}

type clixml struct {
	t       *text
	types   map[string]string // type names by reference: they are written out once
	records []record
}

// lists are the elements that hold the items of a collection.
var lists = []string{"LST", "IE", "STK", "QUE"}

func (c *clixml) objects(e *element) {
	for _, o := range e.all("Obj") {
		typ := c.typeOf(o)
		collection := false
		for _, name := range lists {
			if l := o.child(name); l != nil && o.child("Props") == nil {
				c.objects(l)
				collection = true
			}
		}
		if collection {
			continue
		}
		r := record{pos: o.pos, typ: typ, values: map[string][]string{}}
		for _, holder := range []string{"Props", "MS"} {
			for _, h := range o.all(holder) {
				for _, p := range h.children {
					c.property(&r, p)
				}
			}
		}
		c.records = append(c.records, r)
	}
}

func (c *clixml) typeOf(o *element) string {
	if tn := o.child("TN"); tn != nil {
		var names []string
		for _, t := range tn.all("T") {
			names = append(names, t.text)
		}
		// The bases and interfaces follow; the first is the object's own.
		c.types[tn.attr("RefId")] = strings.Join(names[:min(len(names), 1)], " ")
		return c.types[tn.attr("RefId")]
	}
	return c.types[o.child("TNRef").attr("RefId")]
}

func (c *clixml) property(r *record, p *element) {
	name := p.attr("N")
	if name == "" {
		return
	}
	r.columns = append(r.columns, name)
	if p.name.Local == "Nil" {
		return
	}
	if p.name.Local != "Obj" {
		if p.text != "" {
			r.values[name] = []string{p.text}
		}
		return
	}
	c.typeOf(p)
	for _, list := range lists {
		if l := p.child(list); l != nil {
			for _, item := range l.children {
				if item.text != "" {
					r.values[name] = append(r.values[name], item.text)
				}
			}
			return
		}
	}
	if s := p.child("ToString"); s != nil && s.text != "" {
		r.values[name] = []string{s.text}
	}
}
