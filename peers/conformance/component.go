package conformance

import (
	"context"
	"crypto/sha1" //nolint:gosec // XEP-0114 asks for it
	"encoding/hex"
	"fmt"
	"time"
)

// A component is an external component of the product (XEP-0114): stanzas that it sends to another domain make the
// product connect there.
type component struct {
	*stream
	sent int
}

// joinComponent connects as xmppComponent.
func joinComponent(ctx context.Context, dial dialFunc) (*component, error) {
	conn, err := dialRetry(ctx, dial, xmppTrigger)
	if err != nil {
		return nil, err
	}
	c := &component{stream: newStream(conn)}
	if err := c.handshake(); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("component %s: %w", xmppComponent, err)
	}
	return c, nil
}

func (c *component) handshake() error {
	if err := c.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	err := c.write(`<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='%s' to='%s'>`, nsStream, xmppComponent)
	if err != nil {
		return err
	}
	header, err := c.header()
	if err != nil {
		return err
	}
	sum := sha1.Sum([]byte(header.attr("id") + xmppSecret)) //nolint:gosec // XEP-0114 asks for it
	if err := c.write(`<handshake>%s</handshake>`, hex.EncodeToString(sum[:])); err != nil {
		return err
	}
	if _, err = c.expect("", "handshake"); err != nil {
		return err
	}
	return c.conn.SetDeadline(time.Time{})
}

// ping sends a ping to domain and returns its id.
func (c *component) ping(domain string) (string, error) {
	c.sent++
	id := fmt.Sprintf("probe-%d", c.sent)
	return id, c.write(`<iq type='get' from='%s' to='%s' id='%s'><ping xmlns='urn:xmpp:ping'/></iq>`, xmppComponent, domain, id)
}

// settled waits for the answer to the ping, which is an error once the product has given the connection up. A ping
// sent before that would be taken for the old connection.
func (c *component) settled(id string) error {
	if err := c.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	for {
		e, err := c.next()
		if err != nil {
			return fmt.Errorf("waiting for the answer to %s: %w", id, err)
		}
		if e.attr("id") == id {
			return nil
		}
	}
}

func (c *component) close() {
	if c != nil {
		_ = c.conn.Close()
	}
}
