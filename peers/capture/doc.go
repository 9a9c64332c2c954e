// Package capture records what goes over the sockets of a leg and writes it as a pcapng file that Wireshark opens
// already decrypted: the TLS secrets are in the file, in a Decryption Secrets Block.
//
// What is recorded is what was handed to the kernel, at the socket itself and so below TLS, by each of the two ends: the
// bytes, their direction, their time, and how each end closed. The IP and TCP around it isn't recorded but drawn: a
// handshake where a connection was opened, an ACK for each segment, FIN, or RST where a kernel sends one (RFC 1122
// §4.2.2.13, RFC 9293 §3.10.7). Addresses and ports are those of the lab's network: a host that had to listen on another port has
// its standard one in the capture. Times are the real ones of the run, whatever date the lab's clocks show.
//
// A recorder is asked for with With, and found in the context by whoever dials, listens or asks the DNS. Where there is
// none, nothing is wrapped and nothing is kept.
package capture
