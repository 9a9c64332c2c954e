// Package ca issues the lab's certificates. One Set holds the CAs of a run: a public one, an internal one, and one
// for each partner, each an embedded step-ca Authority with a root and intermediates, without a disk or a listener.
//
// What a well-behaved CA would refuse to sell (expired, SHA-1, RSA-1024, otherName, …) is made beside the Authority
// with the same library and the same issuer, and is marked as such. All keys here are lab keys: they live in memory,
// and nothing they vouch for is fit for production.
package ca
