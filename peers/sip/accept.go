package sip

import (
	"context"
	"fmt"
	"slices"

	"github.com/emiago/sipgo/sip"

	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/policy"
	"github.com/edgelab/edgelab/peers/wire"
)

// An acceptance is what an acceptor makes of one connection: its judgement of the certificate in the handshake, of the
// sender's domain with the first request, and its answers. It runs on the connection's goroutine.
type acceptance struct {
	server *Server
	rec    *verdict.Record
	conn   *conn
	ctx    context.Context //nolint:containedctx // the connection's lifetime: sipgo's handlers have no room for one

	question  policy.Question
	judgement *verdict.Judgement // of the handshake, and then of the first request; nil: nobody judges
	recorded  bool               // the final judgement is in the evidence

	domain    string // the sender's, once known
	refusal   *answer
	answered  []sip.RequestMethod // with 200
	exchanged bool
}

// An answer is a final response that isn't 200.
type answer struct {
	status int
	reason string
	code   verdict.Code
	why    string
}

// handshake judges the connecting side's certificate.
func (a *acceptance) handshake(p wire.Presented) verdict.Judgement {
	h := a.server.cfg.Host
	a.question = question(h, policy.Acceptor, "")
	a.question.Chain, a.question.TLS = p.Chain, p.Version
	j := h.Product.Handshake(a.question)
	a.recorded = j.Outcome == verdict.OutcomeRejected && j.Layer == verdict.TLS // wire does
	a.judgement = &j
	return j
}

// request answers one request.
func (a *acceptance) request(req *sip.Request, tx *sip.ServerTx) {
	if a.domain == "" {
		a.domain = senderDomain(req)
		a.refusal = a.admit(a.domain)
	}
	res := a.respond(req)
	if err := tx.Respond(res); err != nil || res.StatusCode != sip.StatusOK {
		return
	}
	a.answered = append(a.answered, req.Method)
	want := a.server.cfg.Completes
	if len(want) == 0 {
		want = []sip.RequestMethod{sip.OPTIONS, sip.MESSAGE}
	}
	for _, m := range want {
		if !slices.Contains(a.answered, m) {
			return
		}
	}
	if !a.exchanged {
		a.exchanged = true
		a.rec.Addf(verdict.KindExchanged, "has answered %s from %s", methods(want), a.domain)
	}
}

// admit decides about the sender's domain and returns the refusal, nil if it is let in.
func (a *acceptance) admit(domain string) *answer {
	cfg := a.server.cfg
	switch {
	case domain == "":
		a.judged()
		return &answer{sip.StatusBadRequest, "Bad Request", verdict.ApplicationRefused, "the request names no sender's domain"}
	case cfg.Routing.Users:
		if !cfg.owns(domain) {
			return &answer{sip.StatusForbidden, "Forbidden", verdict.NotAllowed, domain + " isn't one of its own SIP domains"}
		}
		a.authenticated(domain)
		return nil
	}
	rt, err := a.route(domain)
	if err != nil {
		a.rec.Addf(verdict.KindHarness, "%v", err)
		a.judged()
		return &answer{sip.StatusInternalServerError, "Server Internal Error", verdict.Inconclusive, "the lab's DNS failed"}
	}
	a.identify(rt)
	if a.judgement == nil {
		a.authenticated(domain)
		return nil
	}
	switch a.judgement.Outcome {
	case verdict.OutcomeRejected:
		return a.refuse(domain, rt)
	case verdict.OutcomeTrusted:
		a.authenticated(domain)
	}
	return nil
}

// route finds out which server may speak for domain.
func (a *acceptance) route(domain string) (route, error) {
	servers := a.server.cfg.Routing.Servers
	if len(servers) == 0 {
		return a.server.router.find(a.ctx, a.rec, domain)
	}
	rt := route{host: servers[0], name: servers[0]}
	if a.judgement == nil {
		return rt, nil
	}
	for _, s := range servers {
		a.question.Name = s
		if a.server.cfg.Host.Product.Identify(a.question, *a.judgement).Outcome == verdict.OutcomeTrusted {
			rt.host, rt.name = s, s
			break
		}
	}
	return rt, nil
}

// identify makes the final judgement: the handshake's, the certificate's name, and the route.
func (a *acceptance) identify(rt route) {
	if a.judgement == nil {
		if rt.failed() == nil {
			return // asked for no certificate, and nothing stands against the domain
		}
		a.judgement = &verdict.Judgement{Product: a.server.cfg.Host.Product.ID(), Role: string(policy.Acceptor)}
	} else if rt.host != "" {
		a.question.Name = rt.name
		j := a.server.cfg.Host.Product.Identify(a.question, *a.judgement)
		a.judgement = &j
	}
	j := rt.decide(*a.judgement)
	a.judgement = &j
	a.judged()
}

// judged records the judgement, once.
func (a *acceptance) judged() {
	if a.judgement == nil || a.recorded {
		return
	}
	a.recorded = true
	text := conclusion(*a.judgement)
	if a.domain == "" {
		text = a.judgement.Product + " lets the handshake through; no request has said for which domain"
	}
	a.rec.Add(verdict.Event{Kind: verdict.KindJudged, Judgement: a.judgement, Code: a.judgement.Code, Text: text})
}

func conclusion(j verdict.Judgement) string {
	switch j.Outcome {
	case verdict.OutcomeTrusted:
		return j.Product + " accepts the other side"
	case verdict.OutcomeRejected:
		return fmt.Sprintf("%s refuses the other side: %s", j.Product, j.Code)
	}
	return fmt.Sprintf("%s: %s", j.Product, j.Outcome)
}

// refuse chooses the answer to a sender that was judged and rejected. An Access Edge sends 504 without a word of why,
// and writes the reason into its own trace (Cisco document 212383 for the SRV and certificate rules; that a domain on
// no list gets no diagnostics either is from a report of 2012-07-18). Others send 403 (RFC 3261 §21.4.4).
func (a *acceptance) refuse(domain string, rt route) *answer {
	j := a.judgement
	why := fmt.Sprintf("%s speaks for %s", orNobody(rt.host), domain)
	if f := j.Failed(); len(f) > 0 {
		why = f[0].Detail
	}
	if len(a.server.cfg.Routing.Servers) > 0 {
		return &answer{sip.StatusForbidden, "Forbidden", j.Code, why + "; " + traceNotConfigured}
	}
	if !a.server.router.edge {
		return &answer{sip.StatusForbidden, "Forbidden", j.Code, why}
	}
	switch j.Code {
	case verdict.SRVMismatch, verdict.SRVMissing:
		why += "; " + traceNoSRVMatch
	case verdict.NotAllowed:
	default:
		why += fmt.Sprintf("; %s, expected-fqdn %s", traceCertMismatch, orNobody(rt.name))
	}
	return &answer{sip.StatusGatewayTimeout, "Server time-out", j.Code, why}
}

// authenticated records that the sender is who it says, and by which method.
func (a *acceptance) authenticated(domain string) {
	e := verdict.Event{Kind: verdict.KindAuthenticated, Encrypted: true, Method: verdict.MethodCertificate, Text: domain + " by certificate"}
	if a.judgement == nil || len(a.question.Chain) == 0 {
		e.Method = verdict.MethodServerTLS
		e.Text = domain + ": only this side shows a certificate"
		if a.server.cfg.Routing.Users {
			e.Text += "; a user would now log on with NTLM or Kerberos, which the lab leaves out"
		}
	}
	a.rec.Add(e)
}

// respond builds the response to one request, recording a refusal.
func (a *acceptance) respond(req *sip.Request) *sip.Response {
	no := a.refusal
	cfg := a.server.cfg
	switch {
	case no != nil:
	case senderDomain(req) != a.domain:
		no = &answer{sip.StatusForbidden, "Forbidden", verdict.ApplicationRefused, "another domain than the connection's first request spoke for"}
	case !cfg.Routing.Users && len(cfg.Routing.Servers) == 0 && !cfg.owns(req.Recipient.Host):
		// RFC 3261 §21.4.5: the domain of the request URI is none that the recipient handles.
		no = &answer{sip.StatusNotFound, "Not Found", verdict.ApplicationRefused, printable(req.Recipient.Host) + " isn't one of its SIP domains"}
	case cfg.Methods[req.Method] != nil:
		res := cfg.Methods[req.Method](req)
		if res.StatusCode != sip.StatusOK {
			a.refused(&answer{res.StatusCode, res.Reason, verdict.ApplicationRefused, "the request is refused"})
		}
		return res
	case req.Method == sip.OPTIONS || req.Method == sip.MESSAGE:
		return sip.NewResponseFromRequest(req, sip.StatusOK, "OK", nil)
	default:
		no = &answer{sip.StatusMethodNotAllowed, "Method Not Allowed", verdict.ApplicationRefused, printable(string(req.Method)) + " isn't answered here"}
	}
	a.refused(no)
	res := sip.NewResponseFromRequest(req, no.status, no.reason, nil)
	if no.status == sip.StatusMethodNotAllowed {
		allow := []sip.RequestMethod{sip.OPTIONS, sip.MESSAGE}
		for m := range cfg.Methods {
			allow = append(allow, m)
		}
		slices.Sort(allow)
		res.AppendHeader(sip.NewHeader("Allow", methods(allow)))
	}
	return res
}

func (a *acceptance) refused(no *answer) {
	a.rec.Add(verdict.Event{Kind: verdict.KindRefused, Status: no.status, Code: no.code,
		Text: fmt.Sprintf("refuses with %d %s: %s", no.status, no.reason, no.why)})
}

func methods(ms []sip.RequestMethod) string {
	var out string
	for i, m := range ms {
		if i > 0 {
			out += ", "
		}
		out += string(m)
	}
	return out
}

func orNobody(s string) string {
	if s == "" {
		return "no known server"
	}
	return s
}
