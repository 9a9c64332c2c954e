// Package edge is the mock Edge Server: Access Edge for partners and for remote users, Web Conferencing Edge, A/V Edge
// with its authentication service (MRAS), and the XMPP gateway's outside, on the addresses and ports of the Lync
// Server 2013 port summary. It is also where the legs begin that end at an Edge or start from one.
//
// What needs a certificate is real: TLS, SIP, the MRAS exchange. PSOM, the Web Conferencing protocol, is not simulated
// beyond one line and its echo. The A/V Edge speaks standard TURN (RFC 8656) and not Microsoft's dialect of it; it shows
// no certificate, because its security rests on the tokens that MRAS hands out over mutual TLS.
package edge
