// Package conformance measures how real products judge a certificate, so that the policies in package policy are
// models of something and not opinions. It brings the products from Debian's releases into chroots, starts each in
// namespaces of its own (network, mounts, processes), presents every certificate variant in both roles, reads the
// outcome from the wire and from the product's log, and compares it with the committed matrix and with the engine.
//
// The ends that talk to the products are small and use crypto/tls alone. They share nothing with the lab's peers or
// with the engine, so that what is measured can't be bent by what it is compared with.
package conformance
