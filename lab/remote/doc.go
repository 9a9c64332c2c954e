// Package remote lets a lab stand as separate processes, in containers or not. One of them has the certificates issued and
// leaves a folder, the State, with what each host must know and with its private keys; each host reads its part, plays its
// end of the legs, and answers on a control channel, over mutual TLS with a CA of the state's own: make this leg, what did
// you see of that connection. Whoever runs the scenario asks both ends of every leg, and the verdict comes from what both
// saw, exactly as in one process.
//
// Where a real product plays a partner, a driver stands beside it that has it connect; see Products.
package remote
