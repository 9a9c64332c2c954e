// Package plan turns a topology into the certificates to order: per certificate the subject name, the SANs and EKUs
// each with the reason it is there and the rule's source, the key, the kind of CA and the services it is assigned
// to. It is pure: no clock, no network, no randomness, and the same topology always gives the same plan.
package plan
