// Package xmpp is both ends of a server-to-server XMPP leg (RFC 6120): an acceptor that serves any number of domains
// on one port, and an initiator. mellium.im/xmpp carries sessions, SASL and stanzas; around it stand what it lacks for
// server-to-server use: SASL EXTERNAL, the receiving side's negotiation, STARTTLS whose handshake leaves evidence, and
// server dialback (XEP-0220 with the keys of XEP-0185).
//
// A leg stays one connection: where the other side offers XEP-0288, answers come back over the stream on which the
// question was asked. Only dialback opens a second connection, and its record is linked to the first.
package xmpp
