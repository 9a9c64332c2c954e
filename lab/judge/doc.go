// Package judge puts certificate chains from files to a product's policy: one by one, or many a second from a file of
// rows. The engine is that of package policy, the same that judges inside the handshakes of a leg; this package reads
// files and rows, and reports.
//
// A chain is judged as it would be presented: in the order of its file, with what is missing, superfluous or doubled
// left as it is. No private key is needed and nothing is sent anywhere.
package judge
