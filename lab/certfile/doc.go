// Package certfile reads what a CA sends and what an administrator has lying about: certificates and requests as PEM,
// DER, bare base64, PKCS#7 (.p7b) or PKCS#12 (.pfx), with or without the key, the chain in any order. It finds the
// leaf, puts the chain in order, and notes what a server would trip over, a missing intermediate above all.
//
// Reading isn't judging: whether the certificate is any good is for the legs that run with it and for package lint.
package certfile
