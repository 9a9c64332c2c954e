// Package verdict holds what a leg leaves behind and what is concluded from it: the events that both ends
// recorded, the checks that a judge put to a certificate, and the code that is drawn from them.
//
// It belongs at the bottom of the import graph. Peers record into it, the lab draws from it, reports print it.
// Nothing here opens a socket, reads a clock or knows a product.
package verdict
