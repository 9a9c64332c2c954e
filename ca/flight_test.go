package ca

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
)

func TestFlightMakesOnce(t *testing.T) {
	var f flight[int]
	var made atomic.Int32
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			v, err := f.do(t.Context(), "a", func() (int, error) { return int(made.Add(1)), nil })
			if v != 1 || err != nil {
				t.Errorf("got %d, %v", v, err)
			}
		})
	}
	wg.Wait()
	if v := f.finished(); len(v) != 1 || v[0] != 1 {
		t.Errorf("finished: %v", v)
	}
}

func TestFlightForgetsFailures(t *testing.T) {
	var f flight[int]
	broken := errors.New("broken")
	if _, err := f.do(t.Context(), "a", func() (int, error) { return 0, broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if v, err := f.do(t.Context(), "a", func() (int, error) { return 2, nil }); v != 2 || err != nil {
		t.Errorf("got %d, %v", v, err)
	}
}

func TestFlightWaiterGivesUp(t *testing.T) {
	var f flight[int]
	started, finish, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		_, _ = f.do(context.Background(), "a", func() (int, error) { close(started); <-finish; return 1, nil })
	}()
	<-started
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.do(ctx, "a", func() (int, error) { return 2, nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if v := f.finished(); len(v) != 0 {
		t.Errorf("finished before it was: %v", v)
	}
	close(finish)
	<-done
}

func TestFlightSurvivesAPanic(t *testing.T) {
	var f flight[int]
	func() {
		defer func() { _ = recover() }()
		_, _ = f.do(t.Context(), "a", func() (int, error) { panic("broken") })
	}()
	if v, err := f.do(t.Context(), "a", func() (int, error) { return 2, nil }); v != 2 || err != nil {
		t.Errorf("got %d, %v", v, err)
	}
}
