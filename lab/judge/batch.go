package judge

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"runtime"
	"sync"
)

// maxLine is the most bytes that a line of a batch may have. A row with its chain and a store of a few roots inline
// has some ten kilobytes.
const maxLine = 16 << 20

// BatchOptions say how a batch is judged.
type BatchOptions struct {
	Defaults Row // what a row leaves open
	Parallel int // rows judged at a time; 0: one for each processor
}

// A Summary counts the rows of a batch.
type Summary struct {
	Rows   int // without empty lines
	Failed int // those that couldn't be judged
}

// A Refusal is the line of output for a row that can't be judged.
type Refusal struct {
	Error string `json:"error"`
	Line  int    `json:"line"` // of the input, counted from 1
}

// Batch reads rows from r, one JSON object a line (see ParseRow), and writes to w one line for each in the same order: a
// Result, or a Refusal if the row can't be judged. Empty lines are passed over. What is known is written whenever the
// next row isn't there yet, so that r may be a conversation.
//
// The error is r's, w's or ctx's. After it a Read that is under way is left to end by itself.
func (j *Judge) Batch(ctx context.Context, r io.Reader, w io.Writer, o BatchOptions) (Summary, error) {
	ctx, cancel := context.WithCancel(ctx)
	parallel := o.Parallel
	if parallel <= 0 {
		parallel = runtime.GOMAXPROCS(0)
	}
	b := &batch{judge: j, defaults: o.Defaults, work: make(chan *task), order: make(chan *task, 16*parallel)}
	var workers sync.WaitGroup
	defer workers.Wait()
	defer cancel()
	go b.read(ctx, r)
	for range parallel {
		workers.Go(func() { b.answer(ctx) })
	}
	return b.write(ctx, w)
}

type batch struct {
	judge    *Judge
	defaults Row
	work     chan *task // to the workers
	order    chan *task // the same, to the writer
	readErr  error      // valid when order is closed
}

// A task is one line.
type task struct {
	line   int
	text   []byte
	tooBig bool
	answer chan answer // takes one without waiting
}

type answer struct {
	line    []byte
	refused bool
}

// read hands out the lines until r or ctx ends.
func (b *batch) read(ctx context.Context, r io.Reader) {
	defer close(b.order)
	defer close(b.work)
	in := bufio.NewReaderSize(r, 1<<16)
	for number := 1; ; number++ {
		text, tooBig, err := readLine(in)
		if len(bytes.TrimSpace(text)) > 0 || tooBig {
			t := &task{line: number, text: text, tooBig: tooBig, answer: make(chan answer, 1)}
			for _, to := range []chan *task{b.order, b.work} {
				select {
				case to <- t:
				case <-ctx.Done():
					return
				}
			}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				b.readErr = err
			}
			return
		}
	}
}

// readLine returns the next line. What is beyond maxLine is read and dropped.
func readLine(in *bufio.Reader) (text []byte, tooBig bool, err error) {
	for {
		part, err := in.ReadSlice('\n')
		if len(text)+len(part) > maxLine {
			text, tooBig = nil, true
		}
		if !tooBig {
			text = append(text, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return text, tooBig, err
		}
	}
}

func (b *batch) answer(ctx context.Context) {
	for {
		select {
		case t, ok := <-b.work:
			if !ok {
				return
			}
			t.answer <- b.line(t)
		case <-ctx.Done():
			return
		}
	}
}

// line returns the line of output for a task.
func (b *batch) line(t *task) answer {
	result, err := b.result(t)
	if err == nil {
		return answer{line: encode(result)}
	}
	return answer{line: encode(Refusal{Error: err.Error(), Line: t.line}), refused: true}
}

func (b *batch) result(t *task) (Result, error) {
	if t.tooBig {
		return Result{}, fault("", "the line has more than %d MiB, the most that is read", maxLine>>20)
	}
	row, err := ParseRow(t.text)
	if err != nil {
		return Result{}, err
	}
	return b.judge.Judge(row.over(b.defaults))
}

// encode returns v as a line of JSON.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil { // nothing in a Result can't be encoded
		panic(err)
	}
	return b.Bytes()
}

// write writes the answers in the order of their lines.
func (b *batch) write(ctx context.Context, w io.Writer) (Summary, error) {
	var sum Summary
	out := bufio.NewWriterSize(w, 1<<16)
	for {
		if len(b.order) == 0 {
			if err := out.Flush(); err != nil {
				return sum, err
			}
		}
		var t *task
		var ok bool
		select {
		case t, ok = <-b.order:
		case <-ctx.Done():
			return sum, ctx.Err()
		}
		if !ok {
			return sum, errors.Join(b.readErr, out.Flush())
		}
		select {
		case a := <-t.answer:
			sum.Rows++
			if a.refused {
				sum.Failed++
			}
			if _, err := out.Write(a.line); err != nil {
				return sum, err
			}
		case <-ctx.Done():
			return sum, ctx.Err()
		}
	}
}
