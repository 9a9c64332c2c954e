// Package sip holds the SIP ends of a leg: border servers that accept and open federation connections over mutual TLS,
// the Access Edge's rules about partner domains, and remote users' clients.
//
// sipgo parses, builds and times the messages: its parser, its transactions and its client are in use. The connections
// are our own, because the evidence of a leg is in what sipgo's transport layer keeps to itself: the alert with which a
// TLS 1.3 acceptor refuses arrives with the first read, long after the handshake has succeeded for the initiator. One
// goroutine reads a connection and handles what it reads in order, so an answer that is followed by a close is always
// seen before the close. Nothing here ever dials an address that a message names.
package sip
