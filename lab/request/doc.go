// Package request turns lines of a plan into what is handed to a CA: a private key, a certificate request (PKCS#10),
// and the same request for Windows, as an .inf file of certreq and as lines of the Lync Server Management Shell.
//
// The keys are real ones, for production: they come from the system's randomness, are written with mode 0600, and
// nothing that exists is ever written over.
package request
