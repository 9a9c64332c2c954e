package conformance

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

const day = 24 * time.Hour

// Variants returns every variant, in the order of the matrix.
func Variants() []Variant {
	return slices.Concat(ekuVariants(), keyUsageVariants(), constraintVariants(), chainVariants(), validityVariants(),
		keyVariants(), nameVariants(), specialVariants(),
		thoroughVariants())
}

// ekuVariants asks for the purposes of the leaf, of the intermediate, of both together, and of the root.
func ekuVariants() []Variant {
	var out []Variant
	leaf := []struct {
		name string
		eku  []string
	}{
		{"both", []string{"server", "client"}},
		{"server", []string{"server"}},
		{"client", []string{"client"}},
		{"none", []string{"none"}},
		{"any", []string{"any"}},
		{"any-server", []string{"any", "server"}},
		{"any-client", []string{"any", "client"}},
		{"sip-domain", []string{"sipDomain"}},
		{"sip-domain-server", []string{"sipDomain", "server"}},
		{"email", []string{"email"}},
		{"unknown-oid", []string{"1.2.3.4.5"}},
		{"unknown-oid-both", []string{"1.2.3.4.5", "server", "client"}},
		{"critical-both", []string{"critical", "server", "client"}},
		{"critical-server", []string{"critical", "server"}},
		{"ns-sgc", []string{"nsSGC"}},
		{"ms-sgc", []string{"msSGC"}},
	}
	for _, l := range leaf {
		out = append(out, Variant{Name: "eku-" + l.name, Group: "eku",
			Asks: fmt.Sprintf("leaf with EKU %s under a plain intermediate", strings.Join(l.eku, "+")),
			Leaf: Spec{EKU: l.eku}})
	}
	above := []struct {
		name string
		eku  []string
	}{
		{"server", []string{"server"}},
		{"client", []string{"client"}},
		{"both", []string{"server", "client"}},
		{"any", []string{"any"}},
		{"email", []string{"email"}},
	}
	for _, l := range leaf[:5] {
		for _, a := range above {
			out = append(out, Variant{Name: "eku-" + l.name + "-under-" + a.name, Group: "eku",
				Asks: fmt.Sprintf("leaf with EKU %s under an intermediate with EKU %s", strings.Join(l.eku, "+"), strings.Join(a.eku, "+")),
				Leaf: Spec{EKU: l.eku}, Intermediate: Spec{EKU: a.eku}})
		}
	}
	for _, a := range above {
		out = append(out, Variant{Name: "eku-both-root-" + a.name, Group: "eku",
			Asks: fmt.Sprintf("leaf with EKU server+client under a root with EKU %s", strings.Join(a.eku, "+")),
			Leaf: Spec{}, Root: Spec{EKU: a.eku}})
	}
	return append(out, Variant{Name: "eku-both-second-intermediate-server", Group: "eku",
		Asks:          "two intermediates, the upper one with EKU server",
		Intermediate2: &Spec{EKU: []string{"server"}}})
}

// keyUsageVariants asks what keyUsage must allow; every variant runs in TLS 1.2 and 1.3, where the key only signs.
func keyUsageVariants() []Variant {
	var out []Variant
	for _, k := range []struct {
		name  string
		usage []string
		key   string
	}{
		{"none", []string{"none"}, ""},
		{"key-encipherment", []string{"keyEncipherment"}, "rsa-2048"},
		{"key-encipherment-ec", []string{"keyEncipherment"}, ""},
		{"key-agreement", []string{"keyAgreement"}, ""},
		{"cert-sign", []string{"keyCertSign"}, ""},
		{"crl-sign", []string{"cRLSign"}, ""},
		{"non-repudiation", []string{"nonRepudiation"}, ""},
		{"signature-encipherment", []string{"digitalSignature", "keyEncipherment"}, "rsa-2048"},
		{"data-encipherment", []string{"dataEncipherment"}, "rsa-2048"},
	} {
		out = append(out, Variant{Name: "ku-" + k.name, Group: "key-usage",
			Asks: "leaf whose keyUsage is " + strings.Join(k.usage, "+"),
			Leaf: Spec{KeyUsage: k.usage, Key: k.key}})
	}
	for _, e := range []string{"server", "client"} {
		out = append(out, Variant{Name: "ku-key-encipherment-eku-" + e, Group: "key-usage",
			Asks: "keyUsage keyEncipherment alone together with EKU " + e + " alone",
			Leaf: Spec{KeyUsage: []string{"keyEncipherment"}, Key: "rsa-2048", EKU: []string{e}}})
	}
	return append(out,
		Variant{Name: "ku-intermediate-none", Group: "key-usage", Asks: "intermediate without keyUsage",
			Intermediate: Spec{KeyUsage: []string{"none"}}},
		Variant{Name: "ku-intermediate-no-cert-sign", Group: "key-usage", Asks: "intermediate whose keyUsage lacks keyCertSign",
			Intermediate: Spec{KeyUsage: []string{"digitalSignature", "cRLSign"}}},
		Variant{Name: "ku-root-no-cert-sign", Group: "key-usage", Asks: "root whose keyUsage lacks keyCertSign",
			Root: Spec{KeyUsage: []string{"digitalSignature", "cRLSign"}}},
	)
}

// constraintVariants asks about basicConstraints, name constraints and extensions that nobody knows.
func constraintVariants() []Variant {
	zero, one := 0, 1
	list := []Variant{
		{Name: "bc-leaf-ca", Asks: "leaf with basicConstraints CA:TRUE", Leaf: Spec{CA: "true"}},
		{Name: "bc-leaf-ca-cert-sign", Asks: "leaf with CA:TRUE and keyCertSign beside digitalSignature",
			Leaf: Spec{CA: "true", KeyUsage: []string{"digitalSignature", "keyCertSign"}}},
		{Name: "bc-leaf-absent", Asks: "leaf without basicConstraints", Leaf: Spec{CA: "absent"}},
		{Name: "bc-intermediate-absent", Asks: "intermediate without basicConstraints, with keyCertSign", Intermediate: Spec{CA: "absent"}},
		{Name: "bc-intermediate-absent-no-ku", Asks: "intermediate without basicConstraints and without keyUsage",
			Intermediate: Spec{CA: "absent", KeyUsage: []string{"none"}}},
		{Name: "bc-intermediate-false", Asks: "intermediate with CA:FALSE", Intermediate: Spec{CA: "false"}},
		{Name: "bc-root-absent", Asks: "root without basicConstraints", Root: Spec{CA: "absent"}},
		{Name: "bc-root-false", Asks: "root with CA:FALSE", Root: Spec{CA: "false"}},
		{Name: "bc-pathlen-kept", Asks: "root with pathlen 1 above one intermediate", Root: Spec{PathLen: &one}},
		{Name: "bc-pathlen-broken", Asks: "root with pathlen 0 above an intermediate", Root: Spec{PathLen: &zero}},
		{Name: "bc-pathlen-intermediate-broken", Asks: "upper intermediate with pathlen 0 above another",
			Intermediate2: &Spec{PathLen: &zero}},
		{Name: "nc-permitted", Asks: "name constraints permit the parent domain", Intermediate: Spec{Permitted: []string{"{parent}"}}},
		{Name: "nc-not-permitted", Asks: "name constraints permit another domain only", Intermediate: Spec{Permitted: []string{"other.example"}}},
		{Name: "nc-excluded", Asks: "name constraints exclude the parent domain", Intermediate: Spec{Excluded: []string{"{parent}"}}},
		{Name: "nc-excluded-other", Asks: "name constraints exclude another domain", Intermediate: Spec{Excluded: []string{"other.example"}}},
		{Name: "nc-root-not-permitted", Asks: "the root's name constraints permit another domain only", Root: Spec{Permitted: []string{"other.example"}}},
		{Name: "nc-cn-not-permitted", Asks: "no SAN; the CN is outside the permitted domain",
			Leaf: Spec{NoSAN: true}, Intermediate: Spec{Permitted: []string{"other.example"}}},
		{Name: "ext-critical-leaf", Asks: "leaf with an unknown critical extension", Leaf: Spec{CriticalExtension: true}},
		{Name: "ext-critical-intermediate", Asks: "intermediate with an unknown critical extension", Intermediate: Spec{CriticalExtension: true}},
		{Name: "ext-critical-root", Asks: "root with an unknown critical extension", Root: Spec{CriticalExtension: true}},
	}
	return group("constraints", list)
}

// chainVariants asks how a path is built from what is presented and what the store holds.
func chainVariants() []Variant {
	list := []Variant{
		{Name: "chain-missing-intermediate", Asks: "the intermediate isn't sent", Present: []string{atLeaf}},
		{Name: "chain-intermediate-in-store", Asks: "the intermediate isn't sent, the store holds it beside the root",
			Present: []string{atLeaf}, Store: []string{atRoot, atIntermediate}},
		{Name: "chain-store-intermediate-only", Asks: "the store holds the intermediate and not the root",
			Store: []string{atIntermediate}},
		{Name: "chain-store-leaf-only", Asks: "the store holds the leaf and nothing above it", Store: []string{atLeaf}},
		{Name: "chain-untrusted-root", Asks: "the root isn't in the store", Store: []string{}},
		{Name: "chain-untrusted-root-sent", Asks: "the root is sent and isn't in the store",
			Present: []string{atLeaf, atIntermediate, atRoot}, Store: []string{}},
		{Name: "chain-with-root", Asks: "the root is sent too", Present: []string{atLeaf, atIntermediate, atRoot}},
		{Name: "chain-extra", Asks: "a CA certificate that has nothing to do with it follows the chain",
			Present: []string{atLeaf, atIntermediate, atStranger}},
		{Name: "chain-extra-between", Asks: "a CA certificate that has nothing to do with it stands between leaf and intermediate",
			Present: []string{atLeaf, atStranger, atIntermediate}},
		{Name: "chain-misordered", Asks: "two intermediates in the wrong order", Intermediate2: &Spec{},
			Present: []string{atLeaf, atIntermediate2, atIntermediate}},
		{Name: "chain-root-before-intermediate", Asks: "root sent before the intermediate",
			Present: []string{atLeaf, atRoot, atIntermediate}},
		{Name: "chain-two-intermediates", Asks: "two intermediates in order", Intermediate2: &Spec{}},
		{Name: "chain-second-missing", Asks: "two intermediates, the upper one isn't sent", Intermediate2: &Spec{},
			Present: []string{atLeaf, atIntermediate}},
		{Name: "chain-duplicate", Asks: "the intermediate is sent twice", Present: []string{atLeaf, atIntermediate, atIntermediate}},
		{Name: "chain-by-root", Asks: "the root signs the leaf", ByRoot: true},
		{Name: "self-signed", Asks: "self-signed leaf that the store doesn't hold", SelfSigned: true, Store: []string{}},
		{Name: "self-signed-in-store", Asks: "self-signed leaf that the store holds", SelfSigned: true, Store: []string{atLeaf}},
		{Name: "self-signed-ca-in-store", Asks: "self-signed CA certificate as leaf, held by the store", SelfSigned: true,
			Leaf: Spec{CA: "true", KeyUsage: []string{"digitalSignature", "keyCertSign"}}, Store: []string{atLeaf}},
		{Name: "self-signed-in-store-eku-server", Asks: "self-signed leaf with EKU server, held by the store", SelfSigned: true,
			Leaf: Spec{EKU: []string{"server"}}, Store: []string{atLeaf}},
		{Name: "self-signed-in-store-expired", Asks: "expired self-signed leaf, held by the store", SelfSigned: true,
			Leaf: Spec{From: -40 * day, Until: -day}, Store: []string{atLeaf}},
	}
	return group("chain", list)
}

// validityVariants asks whose dates are looked at.
func validityVariants() []Variant {
	past := Spec{From: -40 * day, Until: -day}
	future := Spec{From: day, Until: 40 * day}
	return group("validity", []Variant{
		{Name: "expired-leaf", Asks: "leaf expired a day ago", Leaf: past},
		{Name: "expired-intermediate", Asks: "intermediate expired a day ago", Intermediate: past},
		{Name: "expired-root", Asks: "root expired a day ago", Root: past},
		{Name: "future-leaf", Asks: "leaf valid from tomorrow", Leaf: future},
		{Name: "future-intermediate", Asks: "intermediate valid from tomorrow", Intermediate: future},
		{Name: "future-root", Asks: "root valid from tomorrow", Root: future},
		{Name: "expired-leaf-eku-server", Asks: "leaf expired, and with EKU server alone: which is reported first",
			Leaf: Spec{From: past.From, Until: past.Until, EKU: []string{"server"}}},
		{Name: "expired-leaf-untrusted", Asks: "leaf expired under an unknown root: which is reported first",
			Leaf: past, Store: []string{}},
	})
}

// keyVariants asks about key types and sizes and about signatures.
func keyVariants() []Variant {
	var out []Variant
	for _, k := range []string{"rsa-1024", "rsa-2048", "rsa-3072", "p256", "p384", "p521", "ed25519"} {
		out = append(out, Variant{Name: "key-leaf-" + k, Asks: "leaf with a key of type " + k, Leaf: Spec{Key: k}})
	}
	for _, k := range []string{"rsa-1024", "p384", "ed25519"} {
		out = append(out, Variant{Name: "key-intermediate-" + k, Asks: "intermediate with a key of type " + k, Intermediate: Spec{Key: k}})
	}
	out = append(out,
		Variant{Name: "key-root-rsa-1024", Asks: "root with a key of type rsa-1024", Root: Spec{Key: "rsa-1024"}},
		Variant{Name: "sig-leaf-sha1", Asks: "leaf signed with SHA-1 by an RSA intermediate",
			Leaf: Spec{Hash: "sha1"}, Intermediate: Spec{Key: "rsa-2048"}},
		Variant{Name: "sig-leaf-ecdsa-sha1", Asks: "leaf signed with SHA-1 by a P-256 intermediate", Leaf: Spec{Hash: "sha1"}},
		Variant{Name: "sig-intermediate-sha1", Asks: "intermediate signed with SHA-1 by an RSA root",
			Intermediate: Spec{Hash: "sha1"}, Root: Spec{Key: "rsa-2048"}},
		Variant{Name: "sig-root-sha1", Asks: "root that signs itself with SHA-1", Root: Spec{Hash: "sha1", Key: "rsa-2048"}},
		Variant{Name: "sig-leaf-pss", Asks: "leaf signed with RSA-PSS", Leaf: Spec{Hash: "pss"}, Intermediate: Spec{Key: "rsa-2048"}},
		Variant{Name: "sig-leaf-sha384", Asks: "leaf signed with SHA-384 by P-256", Leaf: Spec{Hash: "sha384"}},
	)
	return group("key", out)
}

// nameVariants asks which names are compared, and how. An acceptor of a bare stack has no name to look for.
func nameVariants() []Variant {
	const idn = "xn--bcher-kva.{parent}"
	return group("name", []Variant{
		{Name: "cn-only", Asks: "right CN, no SAN", Leaf: Spec{NoSAN: true}},
		{Name: "cn-right-san-wrong", Asks: "right CN, the SAN holds another name", Leaf: Spec{DNS: []string{"other.example"}}},
		{Name: "cn-right-san-ip", Asks: "right CN, the SAN holds only an iPAddress", Leaf: Spec{DNS: []string{}, IP: []string{"192.0.2.1"}}},
		{Name: "cn-right-san-uri", Asks: "right CN, the SAN holds only a URI of another domain",
			Leaf: Spec{DNS: []string{}, URI: []string{"sip:other.example"}}},
		{Name: "cn-right-san-empty", Asks: "right CN, a SAN extension with no entries", Leaf: Spec{DNS: []string{}}},
		{Name: "cn-wrong-san-right", Asks: "wrong CN, right SAN", Leaf: Spec{CN: "other.example"}},
		{Name: "cn-wrong", Asks: "wrong CN, no SAN", Leaf: Spec{CN: "other.example", NoSAN: true}},
		{Name: "cn-empty-san-right", Asks: "empty subject, right SAN", Leaf: Spec{CN: "-"}},
		{Name: "cn-text-san-right", Asks: "CN is not a name, right SAN", Leaf: Spec{CN: "Contoso Ltd"}},
		{Name: "name-wrong", Asks: "another name altogether", Leaf: Spec{CN: "other.example", DNS: []string{"other.example"}}},
		{Name: "name-parent", Asks: "the parent domain alone", Leaf: Spec{CN: "{parent}", DNS: []string{"{parent}"}}},
		{Name: "name-child", Asks: "a child of the name alone", Leaf: Spec{CN: "a.{name}", DNS: []string{"a.{name}"}}},
		{Name: "name-second", Asks: "the name second in the SAN", Leaf: Spec{CN: "other.example", DNS: []string{"other.example", "{name}"}}},
		{Name: "name-srv-target", Asks: "the SRV target alone, not the domain", Leaf: Spec{CN: "{host}", DNS: []string{"{host}"}}},
		{Name: "wildcard", Asks: "wildcard as left-most label", Leaf: Spec{CN: "*.{parent}", DNS: []string{"*.{parent}"}}},
		{Name: "wildcard-parent", Asks: "wildcard below the name", Leaf: Spec{CN: "*.{name}", DNS: []string{"*.{name}"}}},
		{Name: "wildcard-partial-end", Asks: "i*.", Leaf: Spec{CN: "i*.{parent}", DNS: []string{"i*.{parent}"}}},
		{Name: "wildcard-partial-start", Asks: "*m.", Leaf: Spec{CN: "*m.{parent}", DNS: []string{"*m.{parent}"}}},
		{Name: "wildcard-partial-middle", Asks: "l*t.", Judged: "left.{parent}",
			Leaf: Spec{CN: "l*t.{parent}", DNS: []string{"l*t.{parent}"}}},
		{Name: "wildcard-second-label", Asks: "wildcard as second label", Judged: "im.sub.{parent}",
			Leaf: Spec{CN: "im.*.{parent}", DNS: []string{"im.*.{parent}"}}},
		{Name: "wildcard-two-levels", Asks: "one wildcard for two labels", Judged: "im.sub.{parent}",
			Leaf: Spec{CN: "*.{parent}", DNS: []string{"*.{parent}"}}},
		{Name: "wildcard-two-labels", Asks: "two wildcards", Judged: "im.sub.{parent}",
			Leaf: Spec{CN: "*.*.{parent}", DNS: []string{"*.*.{parent}"}}},
		{Name: "wildcard-tld", Asks: "wildcard right below the top-level domain", Judged: "{parent}",
			Leaf: Spec{CN: "*.example", DNS: []string{"*.example"}}},
		{Name: "wildcard-alone", Asks: "a lone asterisk", Leaf: Spec{CN: "*", DNS: []string{"*"}}},
		{Name: "wildcard-cn", Asks: "wildcard in the CN, no SAN", Leaf: Spec{CN: "*.{parent}", NoSAN: true}},
		{Name: "wildcard-cn-san-wrong", Asks: "wildcard in the CN, the SAN holds another name",
			Leaf: Spec{CN: "*.{parent}", DNS: []string{"other.example"}}},
		{Name: "case", Asks: "the name in other case", Leaf: Spec{CN: "IM.{parent}", DNS: []string{"IM.{parent}"}}},
		{Name: "wildcard-case", Asks: "a wildcard with the name in other case", Leaf: Spec{CN: "*.WILDCARD-CASE.Example", DNS: []string{"*.WILDCARD-CASE.Example"}}},
		{Name: "trailing-dot", Asks: "the name with a trailing dot", Leaf: Spec{CN: "{name}.", DNS: []string{"{name}."}}},
		{Name: "idn-a-label", Asks: "IDN, A-label in the SAN and in the judged name", Judged: idn, Leaf: Spec{CN: idn, DNS: []string{idn}}},
		{Name: "idn-wildcard", Asks: "IDN judged, wildcard in the SAN", Judged: idn, Leaf: Spec{CN: "*.{parent}", DNS: []string{"*.{parent}"}}},
		{Name: "idn-u-label-judged", Asks: "IDN, A-label in the SAN, U-label judged", Judged: "bücher.{parent}", Leaf: Spec{CN: idn, DNS: []string{idn}}},
		{Name: "idn-xmpp-addr", Asks: "IDN, U-label in the XmppAddr and judged", Judged: "bücher.{parent}",
			Leaf: Spec{CN: "Contoso Ltd", DNS: []string{}, XMPPAddr: []string{"bücher.{parent}"}}},
		{Name: "uri-sip", Asks: "URI sip: entry alone", Leaf: Spec{CN: "Contoso Ltd", DNS: []string{}, URI: []string{"sip:{name}"}}},
		{Name: "uri-sip-user", Asks: "URI sip: entry with a user part alone", Leaf: Spec{CN: "Contoso Ltd", DNS: []string{}, URI: []string{"sip:bob@{name}"}}},
		{Name: "uri-sip-dns-wrong", Asks: "URI sip: entry right, dNSName wrong", Leaf: Spec{CN: "other.example", DNS: []string{"other.example"}, URI: []string{"sip:{name}"}}},
		{Name: "xmpp-addr", Asks: "XmppAddr alone", Leaf: Spec{CN: "Contoso Ltd", DNS: []string{}, XMPPAddr: []string{"{name}"}}},
		{Name: "xmpp-addr-dns-wrong", Asks: "XmppAddr right, dNSName wrong", Leaf: Spec{CN: "other.example", DNS: []string{"other.example"}, XMPPAddr: []string{"{name}"}}},
		{Name: "xmpp-addr-wildcard", Asks: "XmppAddr with a wildcard", Leaf: Spec{CN: "Contoso Ltd", DNS: []string{}, XMPPAddr: []string{"*.{parent}"}}},
		{Name: "srv-name", Asks: "SRVName _xmpp-server alone", Leaf: Spec{CN: "Contoso Ltd", DNS: []string{}, SRVName: []string{"_xmpp-server.{name}"}}},
		{Name: "srv-name-sips", Asks: "SRVName _sips alone", Leaf: Spec{CN: "Contoso Ltd", DNS: []string{}, SRVName: []string{"_sips.{name}"}}},
		{Name: "srv-name-client", Asks: "SRVName _xmpp-client alone", Leaf: Spec{CN: "Contoso Ltd", DNS: []string{}, SRVName: []string{"_xmpp-client.{name}"}}},
		{Name: "san-ip-only", Asks: "iPAddress of the peer alone, CN is not a name", Leaf: Spec{CN: "Contoso Ltd", DNS: []string{}, IP: []string{"127.0.0.1"}}},
		{Name: "san-dns-ip", Asks: "the peer's address written as a dNSName", Leaf: Spec{CN: "Contoso Ltd", DNS: []string{"127.0.0.1"}}},
	})
}

// specialVariants are those that the chain alone doesn't describe.
func specialVariants() []Variant {
	return group("special", []Variant{
		{Name: "no-certificate", Asks: "the connecting side shows none", NoCertificate: true, Roles: []Role{Acceptor}},
		{Name: "revoked", Asks: "the intermediate's CRL lists the leaf", Revoked: true},
		{Name: "not-revoked", Asks: "the twin of revoked: the CRL lists another", Revoked: false},
		{Name: "revoked-by-root", Asks: "the root signs the leaf, and its CRL lists it", ByRoot: true, Revoked: true},
		{Name: "not-revoked-by-root", Asks: "the twin of revoked-by-root: the CRL lists another", ByRoot: true},
	})
}

func group(name string, list []Variant) []Variant {
	for i := range list {
		list[i].Group = name
	}
	return list
}
