package remote

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"github.com/edgelab/edgelab/lab/verdict"
)

// A prosody is driven through its own console (mod_admin_telnet), as an administrator would.
type prosody struct{ domain string }

func (p prosody) ready(ctx context.Context) error {
	c, err := dial(ctx, "tcp4", consolePort)
	if err != nil {
		return err
	}
	return c.Close()
}

func (p prosody) reach(ctx context.Context, domain string, rec *verdict.Record) error {
	rec.Addf(verdict.KindNote, "Prosody is told to ping %s", domain)
	answer, err := p.order(ctx, fmt.Sprintf("xmpp:ping('%s', '%s')", p.domain, domain))
	if err != nil {
		rec.Addf(verdict.KindHarness, "Prosody's console: %v", err)
		return err
	}
	if strings.HasPrefix(answer, "OK: ") {
		rec.Addf(verdict.KindExchanged, "Prosody had its ping answered by %s: %s", domain, strings.TrimPrefix(answer, "OK: "))
	} else {
		rec.Add(verdict.Event{Kind: verdict.KindRefused, Text: "Prosody had no answer from " + domain + ": " + answer})
	}
	// It would use the stream again for the next leg, and the Edge's evidence is whole when it is over.
	_, err = p.order(ctx, fmt.Sprintf("s2s:close('%s', '%s')", p.domain, domain))
	return err
}

// order gives the console one command and returns the line that says how it ended: "OK: …" or the error.
func (p prosody) order(ctx context.Context, command string) (string, error) {
	c, err := dial(ctx, "tcp4", consolePort)
	if err != nil {
		return "", err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	if _, err := fmt.Fprintf(c, "%s\n", command); err != nil {
		return "", err
	}
	for in := bufio.NewScanner(c); in.Scan(); {
		line := strings.TrimSpace(strings.TrimPrefix(in.Text(), "|"))
		if strings.HasPrefix(line, "OK: ") {
			return line, nil
		}
		if e, ok := strings.CutPrefix(strings.TrimSpace(in.Text()), "!"); ok {
			return strings.TrimSpace(e), nil
		}
	}
	return "", fmt.Errorf("the console said nothing to %q", command)
}
