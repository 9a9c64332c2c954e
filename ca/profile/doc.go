// Package profile knows what each issuer sells on which day: whether the client EKU can still be had, what the
// intermediates' EKU is, how long a certificate may live, which names and keys it may have, and whether it says where
// its CRL is. All of it is data (data/*.yaml), each line with the day from which it holds, its source and the day on
// which the source was read. What no source says is unknown, and is reported as unknown.
//
// Profiles.At gives an issuer's offer at a date. Offer.Fits holds a line of the plan against it and says what can't be
// had, since when, and what to do; Offer.Make gives the certificate that would come instead; Profiles.Changes lists the
// days on which something changes.
package profile
