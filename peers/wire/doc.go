// Package wire does TLS for both ends of a leg and records what each of them saw: the hello, the certificates sent,
// withheld and shown, the judgement, the alerts. The judge decides inside the handshake, and a refusal goes out with
// the very alert that the judged product would send, which crypto/tls on its own can't do.
package wire
