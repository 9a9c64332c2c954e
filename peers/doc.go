// Package peers holds what every end of a leg has in common: its loopback address, its certificates, its policy, its
// view of DNS and time, and the journal it writes. What the ends do with these is in the packages below it: wire
// (TLS with evidence), dns, sip, xmpp and edge.
package peers
