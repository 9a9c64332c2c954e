// Package conformance measures how real products judge a certificate, so that the policies in package policy are
// models of something and not opinions. It brings the products from Debian's releases into chroots, starts each in
// namespaces of its own (network, mounts, processes), presents every certificate variant in both roles, reads the
// outcome from the wire and from the product's log, and compares it with the committed matrix and with the engine.
//
// The ends that talk to the products are small and use crypto/tls alone. They share nothing with the lab's peers or
// with the engine, so that what is measured can't be bent by what it is compared with.
//
// What differs between engine and products, and why, is in differences.json; a test fails on a difference that isn't
// there and on an entry that has ceased to be one.
//
// Not measured: what Debian doesn't package (OpenSIPS, FreeSWITCH, Openfire, Metronome, and everything that only runs on
// Windows or is sold as an appliance); Asterisk but in sid, the one release that has it; CRLs but with OpenSSL, GnuTLS and
// Kamailio; names in Kamailio, which leaves them to the script; and settings that turn TLS off.
package conformance
