// Package policy holds how products judge a peer: data files with a source for each rule, and the one engine that
// applies them. A product is a TLS stack (which chains, purposes and keys it lets through, and with which alert it
// refuses) and an application (which purpose it asks the stack for in each role, whether it demands a certificate,
// which name it looks for and how, and what a failure leads to).
//
// The engine answers for the chain that it is shown. It opens no socket: legs call it from inside their handshakes,
// and edgelab judge calls it for a file.
package policy
