// Package lint holds a certificate against written rules, without a partner and without a connection: RFC 5280,
// the CA/Browser Forum's Baseline Requirements and Chrome's root programme as zlint has them, each by the date from
// which it applies, and what Microsoft's planning library asks of an Edge Server's certificate.
//
// A finding here doesn't say that a leg fails, and no finding doesn't say that it works: only a run does.
package lint
