// Package topology describes one Edge deployment: its layout, its FQDNs, its SIP and XMPP domains, and the partners
// it federates with. It reads that description, checks it, and lists the legs that follow from it.
//
// Everything here is a plain value or a pure function. What certificates follow from a topology is package plan's
// business; who stands at the end of a leg is package peers'.
package topology
