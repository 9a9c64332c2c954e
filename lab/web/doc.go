// Package web is the training site: pages on this machine's loopback that show a scenario's certificate plan with every
// name and usage as a switch, make the legs anew when one is switched, and draw what happened on each. All that a visitor
// chose is in the page's address, so that links are stable and no two visitors share anything; the site itself keeps
// nothing but the last runs, by what they were runs of.
//
// Every page is made on the server and works without scripts. The one script makes switches act in place.
package web
