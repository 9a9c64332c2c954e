package xmpp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"mellium.im/xmpp/stream"

	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/dns"
)

// result is the receiving server's part of dialback (XEP-0220 §2.4): ask the originating domain's own server whether
// the key is its. It returns nil when the initiator is authenticated.
func (a *acceptance) result(ctx context.Context, e element) error {
	if _, err := a.conn.take(); err != nil {
		return err
	}
	d, err := readDialback(e)
	if err != nil {
		return err
	}
	if d.Type != "" {
		return streamError(stream.UnsupportedStanzaType, "an answer to a dialback that wasn't asked for here")
	}
	switch {
	case !a.cfg.serves(d.To):
		return a.refuse(streamError(stream.HostUnknown, d.To+" isn't served here"), verdict.NotAllowed)
	case a.remote != "" && d.From != a.remote:
		return a.refuse(streamError(stream.InvalidFrom, "a dialback key for "+d.From+" on a stream from "+a.remote), verdict.ApplicationRefused)
	case d.To != a.local:
		return a.refuse(streamError(stream.InvalidFrom, "a dialback key for "+d.To+" on a stream to "+a.local), verdict.ApplicationRefused)
	}
	a.remote = d.From
	if err := a.meet(); err != nil {
		return err
	}
	if !a.rules.dialback(a.conn.secure()) {
		code := verdict.ApplicationRefused
		if !a.conn.secure() && a.rules.allowed.TLS == topology.Required {
			code = verdict.TLSRefused
			a.untaken()
		}
		if err := a.conn.answer("result", d, dialbackError, "policy-violation"); err != nil {
			return err
		}
		return a.refuse(streamError(stream.PolicyViolation, "dialback isn't accepted from "+d.From+" on such a stream"), code)
	}
	answer, condition := a.authoritative(ctx, d)
	if err := a.conn.answer("result", d, answer, condition); err != nil {
		return err
	}
	if answer == dialbackValid {
		a.vouched(verdict.MethodDialback)
		return nil
	}
	why := "the server of " + d.From + " says that the dialback key isn't its"
	if answer == dialbackError {
		why = "the dialback key couldn't be verified: " + condition
	}
	return a.refuse(streamError(stream.NotAuthorized, why), verdict.ApplicationRefused)
}

// authoritative asks the server of the originating domain over a connection of its own, whose record is linked to this
// one's. The condition goes with the answer "error".
func (a *acceptance) authoritative(ctx context.Context, d dialback) (answer, condition string) {
	sub := verdict.NewRecord(verdict.Initiator, a.host.Actor, "", a.host.Journal.Clock())
	a.rec.Link(sub)
	defer sub.Finish()
	a.rec.Addf(verdict.KindNote, "asks the server of %s whether the dialback key is its", d.From)
	call := Call{From: d.To, To: d.From, Record: sub}
	answer, err := verifyKey(ctx, a.cfg, call, dialback{From: d.To, To: d.From, ID: a.id, Key: d.Key})
	if err == nil {
		a.rec.Addf(verdict.KindNote, "the server of %s says: %s", d.From, answer)
		return answer, "item-not-found"
	}
	a.rec.Addf(verdict.KindNote, "the dialback key couldn't be verified: %v", err)
	var ne net.Error
	switch {
	case errors.Is(err, dns.ErrNotFound):
		return dialbackError, "remote-server-not-found"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &ne) && ne.Timeout():
		return dialbackError, "remote-server-timeout"
	}
	return dialbackError, "remote-server-not-found"
}

// verify is the authoritative server's part (XEP-0220 §2.3): say whether a key is one of ours. Anybody may ask.
func (a *acceptance) verify(e element) error {
	if _, err := a.conn.take(); err != nil {
		return err
	}
	return a.confirm(e)
}

// confirm answers a question for a key.
func (a *acceptance) confirm(e element) error {
	d, err := readDialback(e)
	if err != nil {
		return err
	}
	switch {
	case d.Type != "" || d.ID == "":
		return streamError(stream.BadFormat, "a dialback verification without an id, or an answer to none")
	case !a.cfg.serves(d.To):
		return a.conn.answer("verify", d, dialbackError, "item-not-found")
	}
	answer := dialbackInvalid
	if a.cfg.DialbackSecret != "" && genuine(d.Key, a.cfg.DialbackSecret, d.From, d.To, d.ID) {
		answer = dialbackValid
	}
	a.rec.Addf(verdict.KindNote, "%s asks about a dialback key of stream %s: %s", d.From, fmt.Sprintf("%.40q", d.ID), answer)
	return a.conn.answer("verify", d, answer, "")
}
