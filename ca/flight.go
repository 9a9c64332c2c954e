package ca

import (
	"context"
	"errors"
	"sync"
)

// A flight makes each value once, however many callers ask for it at the same time, and keeps it. A failure is handed
// to those who waited for it and is not kept. The zero value is ready for use.
type flight[V any] struct {
	mu    sync.Mutex
	calls map[string]*call[V]
}

type call[V any] struct {
	done  chan struct{}
	value V
	err   error
}

var errMakerPanicked = errors.New("the goroutine that was making this value has panicked")

// do returns the value under id, calling work if there is none yet. Work runs on the caller's goroutine and is not
// told about ctx, so that one caller's cancellation never fails the others.
func (f *flight[V]) do(ctx context.Context, id string, work func() (V, error)) (V, error) {
	f.mu.Lock()
	c, found := f.calls[id]
	if found {
		f.mu.Unlock()
		select {
		case <-c.done:
			return c.value, c.err
		case <-ctx.Done():
			var none V
			return none, ctx.Err()
		}
	}
	if f.calls == nil {
		f.calls = make(map[string]*call[V])
	}
	c = &call[V]{done: make(chan struct{}), err: errMakerPanicked}
	f.calls[id] = c
	f.mu.Unlock()

	defer func() {
		if c.err != nil {
			f.mu.Lock()
			delete(f.calls, id)
			f.mu.Unlock()
		}
		close(c.done)
	}()
	c.value, c.err = work()
	return c.value, c.err
}

// finished returns the values that have been made so far, in no particular order.
func (f *flight[V]) finished() []V {
	f.mu.Lock()
	defer f.mu.Unlock()
	var values []V
	for _, c := range f.calls {
		select {
		case <-c.done:
			if c.err == nil {
				values = append(values, c.value)
			}
		default:
		}
	}
	return values
}
