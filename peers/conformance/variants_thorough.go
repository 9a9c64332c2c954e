package conformance

import "slices"

// thoroughVariants returns what one release of each stack is asked beyond what every product is.
func thoroughVariants() []Variant {
	list := slices.Concat(subtreeVariants(), crossVariants(), issuerVariants(), spellingVariants(), crlVariants())
	for i := range list {
		list[i].Thorough = true
	}
	return list
}

// bare keeps variants from products: they verify chains as their stack does, which is asked.
func bare(list []Variant) []Variant {
	for i := range list {
		list[i].Bare = true
	}
	return list
}

// subtreeVariants asks about name constraints of every form, about policies, and about path lengths.
func subtreeVariants() []Variant {
	zero, one := 0, 1
	ip := Spec{IP: []string{"127.0.0.1"}}
	mail := Spec{Email: []string{"postmaster@{parent}"}}
	uri := Spec{URI: []string{"sip:{name}"}}
	web := Spec{URI: []string{"https://{name}/"}}
	dns := func(names ...string) Spec { return Spec{DNS: names} }
	list := []Variant{
		{Name: "nc-dot-permitted", Asks: "dNSName constraint with a leading dot, and the name below it", Intermediate: Spec{Permitted: []string{".{parent}"}}},
		{Name: "nc-dot-self", Asks: "dNSName constraint with a leading dot, and the name itself", Intermediate: Spec{Permitted: []string{".{name}"}}},
		{Name: "nc-exact", Asks: "dNSName constraint that is the name", Intermediate: Spec{Permitted: []string{"{name}"}}},
		{Name: "nc-case", Asks: "dNSName constraint in other case", Intermediate: Spec{Permitted: []string{"NC-CASE.EXAMPLE"}}},
		{Name: "nc-suffix", Asks: "dNSName constraint that ends like the name within a label", Judged: "im.x{parent}", Intermediate: Spec{Permitted: []string{"{parent}"}}},
		{Name: "nc-empty-permitted", Asks: "an empty dNSName constraint permits all", Intermediate: Spec{Permitted: []string{"dns:"}}},
		{Name: "nc-second-name", Asks: "one of two dNSNames is outside", Leaf: dns("{name}", "other.example"), Intermediate: Spec{Permitted: []string{"{parent}"}}},
		{Name: "nc-wildcard", Asks: "a wildcard within the permitted domain", Leaf: dns("{name}", "*.{parent}"), Intermediate: Spec{Permitted: []string{"{parent}"}}},
		{Name: "nc-wildcard-excluded", Asks: "a wildcard that covers an excluded name", Leaf: dns("{name}", "*.{parent}"), Intermediate: Spec{Excluded: []string{"bad.{parent}"}}},
		{Name: "nc-both", Asks: "a domain is permitted, and the name in it excluded", Intermediate: Spec{Permitted: []string{"{parent}"}, Excluded: []string{"{name}"}}},
		{Name: "nc-narrowed", Asks: "the lower CA permits what the upper doesn't", Intermediate: Spec{Permitted: []string{"{parent}"}}, Intermediate2: &Spec{Permitted: []string{"other.example"}}},
		{Name: "nc-cn-excluded", Asks: "the CN is excluded, the SAN holds another name too", Leaf: Spec{CN: "bad.{parent}", DNS: []string{"{name}"}}, Intermediate: Spec{Excluded: []string{"bad.{parent}"}}},
		{Name: "nc-cn-text", Asks: "no SAN, a CN that is no name, and a permitted domain", Leaf: Spec{CN: "Contoso Ltd", NoSAN: true}, Intermediate: Spec{Permitted: []string{"{parent}"}}},
		{Name: "nc-ip-permitted", Asks: "iPAddress within the permitted range", Leaf: ip, Intermediate: Spec{Permitted: []string{"ip:127.0.0.0/8"}}},
		{Name: "nc-ip-not-permitted", Asks: "iPAddress outside of the permitted range", Leaf: ip, Intermediate: Spec{Permitted: []string{"ip:192.0.2.0/24"}}},
		{Name: "nc-ip-excluded", Asks: "iPAddress within an excluded range", Leaf: ip, Intermediate: Spec{Excluded: []string{"ip:127.0.0.0/8"}}},
		{Name: "nc-ip-other-family", Asks: "iPv4 address, and only iPv6 permitted", Leaf: ip, Intermediate: Spec{Permitted: []string{"ip:2001:db8::/32"}}},
		{Name: "nc-ip-dns-only", Asks: "only addresses are permitted, and the leaf has dNSNames alone", Intermediate: Spec{Permitted: []string{"ip:127.0.0.0/8"}}},
		{Name: "nc-email-permitted", Asks: "address of a permitted domain", Leaf: mail, Intermediate: Spec{Permitted: []string{"email:{parent}"}}},
		{Name: "nc-email-not-permitted", Asks: "address of another domain than the permitted one", Leaf: mail, Intermediate: Spec{Permitted: []string{"email:other.example"}}},
		{Name: "nc-email-excluded", Asks: "address that is excluded", Leaf: mail, Intermediate: Spec{Excluded: []string{"email:postmaster@{parent}"}}},
		{Name: "nc-email-dot", Asks: "address of a domain, and only what is below it permitted", Leaf: mail, Intermediate: Spec{Permitted: []string{"email:.{parent}"}}},
		{Name: "nc-uri-sip", Asks: "SIP URI, whose host RFC 5280 can't find, and the host permitted", Leaf: uri, Intermediate: Spec{Permitted: []string{"uri:{name}"}}},
		{Name: "nc-uri-permitted", Asks: "https URI of the permitted host", Leaf: web, Intermediate: Spec{Permitted: []string{"uri:{name}"}}},
		{Name: "nc-uri-not-permitted", Asks: "https URI of another host", Leaf: web, Intermediate: Spec{Permitted: []string{"uri:other.example"}}},
		{Name: "nc-uri-excluded", Asks: "https URI below an excluded domain", Leaf: web, Intermediate: Spec{Excluded: []string{"uri:.{parent}"}}},
		{Name: "nc-uri-below-host", Asks: "https URI below a host that is permitted without a dot", Leaf: web, Intermediate: Spec{Permitted: []string{"uri:{parent}"}}},
		{Name: "nc-dir-not-permitted", Asks: "another organisation than the subject's is permitted", Intermediate: Spec{Permitted: []string{"dir:Fabrikam"}}},
		{Name: "nc-dir-excluded", Asks: "another organisation than the subject's is excluded", Intermediate: Spec{Excluded: []string{"dir:Fabrikam"}}},
		{Name: "nc-dir-no-subject", Asks: "an organisation is permitted, and the subject is empty", Leaf: Spec{CN: "-"}, Intermediate: Spec{Permitted: []string{"dir:Fabrikam"}}},
		{Name: "nc-leaf", Asks: "the leaf itself has name constraints that exclude its name", Leaf: Spec{Excluded: []string{"{name}"}}},
		{Name: "policy-required", Asks: "an intermediate requires a policy, and the leaf has none", Intermediate: Spec{RequirePolicy: true}},
		{Name: "policy-kept", Asks: "an intermediate requires a policy, and both have it", Leaf: Spec{Policies: []string{"1.2.3.5"}}, Intermediate: Spec{RequirePolicy: true, Policies: []string{"1.2.3.5"}}},
		{Name: "policy-other", Asks: "an intermediate requires a policy, and the leaf has another", Leaf: Spec{Policies: []string{"1.2.3.6"}}, Intermediate: Spec{RequirePolicy: true, Policies: []string{"1.2.3.5"}}},
		{Name: "bc-pathlen-intermediate-kept", Asks: "intermediate with pathlen 0 above the leaf", Intermediate: Spec{PathLen: &zero}},
		{Name: "bc-pathlen-root-one", Asks: "root with pathlen 1 above two intermediates", Root: Spec{PathLen: &one}, Intermediate2: &Spec{}},
		{Name: "bc-pathlen-leaf-ca", Asks: "intermediate with pathlen 0 above a leaf that is a CA", Leaf: Spec{CA: "true"}, Intermediate: Spec{PathLen: &zero}},
		{Name: "bc-leaf-ca-ns-sgc", Asks: "leaf with CA:TRUE and the EKU Netscape SGC", Leaf: Spec{CA: "true", EKU: []string{"nsSGC"}}},
		{Name: "bc-root-absent-no-ku", Asks: "root without basicConstraints and without keyUsage", Root: Spec{CA: "absent", KeyUsage: []string{"none"}}},
		{Name: "bc-root-false-no-ku", Asks: "root with CA:FALSE and without keyUsage", Root: Spec{CA: "false", KeyUsage: []string{"none"}}},
		{Name: "ext-san-critical", Asks: "the SAN is critical", Leaf: Spec{SANCritical: true}},
		{Name: "eku-both-under-ns-sgc", Asks: "intermediate with the EKU Netscape SGC", Intermediate: Spec{EKU: []string{"nsSGC"}}},
		{Name: "eku-both-under-ms-sgc", Asks: "intermediate with the EKU Microsoft SGC", Intermediate: Spec{EKU: []string{"msSGC"}}},
		{Name: "eku-both-under-unknown", Asks: "intermediate with an unknown EKU", Intermediate: Spec{EKU: []string{"1.2.3.4.5"}}},
		{Name: "eku-both-under-critical-both", Asks: "intermediate with critical EKU server and client", Intermediate: Spec{EKU: []string{"critical", "server", "client"}}},
		{Name: "eku-both-under-any-server", Asks: "intermediate with EKU any and server", Intermediate: Spec{EKU: []string{"any", "server"}}},
		{Name: "eku-both-second-intermediate-any", Asks: "two intermediates, the upper with EKU any", Intermediate2: &Spec{EKU: []string{"any"}}},
		{Name: "ku-none-eku-server", Asks: "no keyUsage together with EKU server", Leaf: Spec{KeyUsage: []string{"none"}, EKU: []string{"server"}}},
		{Name: "ku-key-agreement-eku-client", Asks: "keyUsage keyAgreement together with EKU client", Leaf: Spec{KeyUsage: []string{"keyAgreement"}, EKU: []string{"client"}}},
		{Name: "ku-key-agreement-rsa", Asks: "keyUsage keyAgreement with an RSA key", Leaf: Spec{KeyUsage: []string{"keyAgreement"}, Key: "rsa-2048"}},
		{Name: "ku-key-encipherment-no-eku", Asks: "keyUsage keyEncipherment with an RSA key, no EKU", Leaf: Spec{KeyUsage: []string{"keyEncipherment"}, Key: "rsa-2048", EKU: []string{"none"}}},
		{Name: "ku-key-encipherment-any", Asks: "keyUsage keyEncipherment with an RSA key, EKU any beside both", Leaf: Spec{KeyUsage: []string{"keyEncipherment"}, Key: "rsa-2048", EKU: []string{"any", "server", "client"}}},
		{Name: "ku-crl-sign-intermediate", Asks: "intermediate whose keyUsage is keyCertSign alone", Intermediate: Spec{KeyUsage: []string{"keyCertSign"}}},
		{Name: "ku-ed25519-key-agreement", Asks: "Ed25519 leaf with keyUsage keyAgreement", Leaf: Spec{Key: "ed25519", KeyUsage: []string{"keyAgreement"}}},
	}
	return bare(group("subtree", list))
}

// crossVariants asks which of several ways to a root is taken.
func crossVariants() []Variant {
	past := Spec{From: -40 * day, Until: -day}
	all := []string{atLeaf, atCross, atIntermediate}
	return bare(group("cross", []Variant{
		{Name: "cross-both-sent", Asks: "two intermediates for one key are sent, the second leads to the store", Cross: &Spec{}, Present: all},
		{Name: "cross-both-sent-other-root", Asks: "two intermediates for one key are sent, the first leads to the store", Cross: &Spec{}, Present: all, Store: []string{atStranger}},
		{Name: "cross-last-other-root", Asks: "two intermediates for one key are sent, the second leads to the store alone", Cross: &Spec{}, Present: []string{atLeaf, atIntermediate, atCross}, Store: []string{atStranger}},
		{Name: "cross-expired-first", Asks: "the first of two intermediates for one key has expired; both roots are trusted", Cross: &past, Present: all, Store: []string{atStranger, atRoot}},
		{Name: "cross-expired-last", Asks: "the second of two intermediates for one key has expired; both roots are trusted", Cross: &past, Present: []string{atLeaf, atIntermediate, atCross}, Store: []string{atStranger, atRoot}},
		{Name: "cross-expired-only-way", Asks: "the way to the store leads through an expired certificate alone", Cross: &past, Present: all, Store: []string{atStranger}},
		{Name: "cross-eku-first", Asks: "the first of two intermediates for one key has the EKU email alone", Cross: &Spec{EKU: []string{"email"}}, Present: all, Store: []string{atStranger, atRoot}},
		{Name: "cross-no-ca-first", Asks: "the first of two intermediates for one key is no CA", Cross: &Spec{CA: "false"}, Present: all, Store: []string{atStranger, atRoot}},
		{Name: "cross-in-store", Asks: "the other intermediate is in the store beside its root, the one sent leads nowhere", Cross: &Spec{}, Store: []string{atCross, atStranger}},
		{Name: "cross-root", Asks: "the root is cross-signed by another that is trusted, and isn't trusted itself", CrossRoot: &Spec{}, Present: []string{atLeaf, atIntermediate, atCrossRoot}, Store: []string{atStranger}},
		{Name: "cross-root-expired", Asks: "the root is trusted, and an expired cross-certificate for it is sent (AddTrust)", CrossRoot: &past, Present: []string{atLeaf, atIntermediate, atCrossRoot}},
		{Name: "cross-root-expired-both", Asks: "as cross-root-expired, and the cross-certificate's expired root is trusted too", CrossRoot: &past, Stranger: past, Present: []string{atLeaf, atIntermediate, atCrossRoot}, Store: []string{atRoot, atStranger}},
		{Name: "cross-root-other-expired", Asks: "the cross-certificate is sound, and leads to an expired root; the root itself is trusted", CrossRoot: &Spec{}, Stranger: past, Present: []string{atLeaf, atIntermediate, atCrossRoot}, Store: []string{atStranger, atRoot}},
		{Name: "root-twin-expired", Asks: "the store holds the root twice, once expired", RootTwin: &past, Store: []string{atRootTwin, atRoot}},
		{Name: "root-twin-expired-last", Asks: "the store holds the root twice, the second expired", RootTwin: &past, Store: []string{atRoot, atRootTwin}},
		{Name: "root-twin-sent", Asks: "another certificate of the trusted root is sent", RootTwin: &Spec{}, Present: []string{atLeaf, atIntermediate, atRootTwin}},
		{Name: "root-twin-sent-expired", Asks: "an expired certificate of the trusted root is sent", RootTwin: &past, Present: []string{atLeaf, atIntermediate, atRootTwin}},
		{Name: "root-expired-intermediate-in-store", Asks: "the root has expired, and the store holds the intermediate too", Root: past, Store: []string{atRoot, atIntermediate}},
		{Name: "root-expired-sent", Asks: "the root has expired and is sent; the store holds the intermediate alone", Root: past, Present: []string{atLeaf, atIntermediate, atRoot}, Store: []string{atIntermediate}},
		{Name: "chain-leaf-twice", Asks: "the leaf is sent twice", Present: []string{atLeaf, atLeaf, atIntermediate}},
		{Name: "chain-leaf-last", Asks: "the leaf is sent again at the end", Present: []string{atLeaf, atIntermediate, atLeaf}},
		{Name: "chain-root-twice", Asks: "the root is sent twice", Present: []string{atLeaf, atIntermediate, atRoot, atRoot}},
		{Name: "chain-three-misordered", Asks: "root, upper and lower intermediate are sent backwards", Intermediate2: &Spec{}, Present: []string{atLeaf, atRoot, atIntermediate2, atIntermediate}},
		{Name: "chain-upper-in-store", Asks: "the upper intermediate is in the store alone, and the root is sent", Intermediate2: &Spec{}, Present: []string{atLeaf, atIntermediate, atIntermediate2, atRoot}, Store: []string{atIntermediate2}},
		{Name: "chain-lower-in-store", Asks: "the lower intermediate is in the store beside the root, and the upper isn't sent", Intermediate2: &Spec{}, Present: []string{atLeaf, atIntermediate}, Store: []string{atIntermediate, atRoot}},
		{Name: "chain-leaf-and-root-in-store", Asks: "leaf and root are in the store, and no intermediate is sent", Present: []string{atLeaf}, Store: []string{atLeaf, atRoot}},
		{Name: "chain-leaf-in-store-expired", Asks: "an expired leaf that the store holds beside its root", Leaf: past, Store: []string{atLeaf, atRoot}},
		{Name: "self-signed-eku-client-in-store", Asks: "self-signed leaf with EKU client, held by the store", SelfSigned: true, Leaf: Spec{EKU: []string{"client"}}, Store: []string{atLeaf}},
		{Name: "self-signed-name-wrong-in-store", Asks: "self-signed leaf for another name, held by the store", SelfSigned: true, Leaf: Spec{CN: "other.example", DNS: []string{"other.example"}}, Store: []string{atLeaf}},
		{Name: "self-signed-with-chain", Asks: "self-signed leaf that the store holds, followed by a stranger", SelfSigned: true, Present: []string{atLeaf, atStranger}, Store: []string{atLeaf}},
	}))
}

// issuerVariants asks what makes a certificate an issuer: its version, how it is named, its key.
func issuerVariants() []Variant {
	out := []Variant{
		{Name: "v1-root", Asks: "version 1 root", Root: Spec{V1: true}},
		{Name: "v1-intermediate", Asks: "version 1 intermediate", Intermediate: Spec{V1: true}},
		{Name: "v1-leaf", Asks: "version 1 leaf, named by its CN", Leaf: Spec{V1: true}},
		{Name: "v1-root-by-root", Asks: "version 1 root that signs the leaf", Root: Spec{V1: true}, ByRoot: true},
		{Name: "issuer-shout", Asks: "the leaf names its issuer in capitals", Leaf: Spec{Issuer: "shout"}},
		{Name: "issuer-utf8", Asks: "the leaf names its issuer in another string type", Leaf: Spec{Issuer: "utf8"}},
		{Name: "issuer-spaces", Asks: "the leaf names its issuer with more spaces", Leaf: Spec{Issuer: "spaces"}},
		{Name: "issuer-shout-root", Asks: "the intermediate names the root in capitals", Intermediate: Spec{Issuer: "shout"}},
		{Name: "key-id-none", Asks: "no authority key identifiers", Leaf: Spec{KeyID: "none"}, Intermediate: Spec{KeyID: "none"}},
		{Name: "key-id-wrong", Asks: "the leaf's authority key identifier isn't the intermediate's", Leaf: Spec{KeyID: "wrong"}},
		{Name: "key-id-wrong-root", Asks: "the intermediate's authority key identifier isn't the root's", Intermediate: Spec{KeyID: "wrong"}},
		{Name: "serial-negative", Asks: "leaf with a negative serial number", Leaf: Spec{NegativeSerial: true}},
		{Name: "serial-negative-intermediate", Asks: "intermediate with a negative serial number", Intermediate: Spec{NegativeSerial: true}},
		{Name: "san-utf8", Asks: "a dNSName in UTF-8 beside the right one", Leaf: Spec{DNS: []string{"{name}", "bücher.example"}}},
		{Name: "sig-leaf-md5", Asks: "leaf signed with MD5", Leaf: Spec{Hash: "md5"}, Intermediate: Spec{Key: "rsa-2048"}},
		{Name: "sig-intermediate-md5", Asks: "intermediate signed with MD5", Intermediate: Spec{Hash: "md5"}, Root: Spec{Key: "rsa-2048"}},
		{Name: "sig-root-md5", Asks: "root that signs itself with MD5", Root: Spec{Hash: "md5", Key: "rsa-2048"}},
		{Name: "sig-intermediate-pss", Asks: "intermediate signed with RSA-PSS", Intermediate: Spec{Hash: "pss"}, Root: Spec{Key: "rsa-2048"}},
		{Name: "sig-intermediate-ecdsa-sha1", Asks: "intermediate signed with ECDSA and SHA-1", Intermediate: Spec{Hash: "sha1"}},
		{Name: "sig-by-root-sha1", Asks: "leaf signed with SHA-1 by the root", Leaf: Spec{Hash: "sha1"}, Root: Spec{Key: "rsa-2048"}, ByRoot: true},
		{Name: "sig-sha1-intermediate-in-store", Asks: "intermediate signed with SHA-1 that the store holds beside the root", Intermediate: Spec{Hash: "sha1"}, Root: Spec{Key: "rsa-2048"}, Store: []string{atRoot, atIntermediate}},
	}
	for _, k := range []string{"p521", "rsa-3072"} {
		out = append(out, Variant{Name: "key-intermediate-" + k, Asks: "intermediate with a key of type " + k, Intermediate: Spec{Key: k}})
	}
	for _, k := range []string{"p224", "p521", "ed25519"} {
		out = append(out, Variant{Name: "key-root-" + k, Asks: "root with a key of type " + k, Root: Spec{Key: k}})
	}
	for _, k := range []string{"p224"} {
		out = append(out, Variant{Name: "key-intermediate-" + k, Asks: "intermediate with a key of type " + k, Intermediate: Spec{Key: k}})
	}
	out = append(out,
		Variant{Name: "key-leaf-rsa-1024-expired", Asks: "RSA key of 1024 bits in an expired leaf: which is reported first", Leaf: Spec{Key: "rsa-1024", From: -40 * day, Until: -day}},
		Variant{Name: "key-leaf-rsa-1024-eku-server", Asks: "RSA key of 1024 bits and EKU server alone: which is reported first", Leaf: Spec{Key: "rsa-1024", EKU: []string{"server"}}},
		Variant{Name: "key-chain-ed25519", Asks: "Ed25519 throughout", Leaf: Spec{Key: "ed25519"}, Intermediate: Spec{Key: "ed25519"}, Root: Spec{Key: "ed25519"}})
	return bare(group("issuer", out))
}

// spellingVariants asks how names are compared that are spelt in an unusual way. Bare stacks alone are asked about names
// that no domain has.
func spellingVariants() []Variant {
	return group("name", []Variant{
		{Name: "cn-first-of-two", Asks: "two CNs, the first right, no SAN", Leaf: Spec{MoreCN: []string{"other.example"}, NoSAN: true}},
		{Name: "cn-last-of-two", Asks: "two CNs, the last right, no SAN", Leaf: Spec{CN: "other.example", MoreCN: []string{"{name}"}, NoSAN: true}},
		{Name: "cn-case", Asks: "the CN in other case, no SAN", Leaf: Spec{CN: "IM.{parent}", NoSAN: true}},
		{Name: "cn-right-san-email", Asks: "right CN, the SAN holds only an e-mail address", Leaf: Spec{DNS: []string{}, Email: []string{"a@other.example"}}},
		{Name: "cn-right-san-xmpp-addr", Asks: "right CN, the SAN holds only an XmppAddr with a user", Leaf: Spec{DNS: []string{}, XMPPAddr: []string{"user@other.example"}}},
		{Name: "cn-right-san-srv-name", Asks: "right CN, the SAN holds only an SRVName of another domain", Leaf: Spec{DNS: []string{}, SRVName: []string{"_xmpp-server.other.example"}}},
		{Name: "cn-wildcard-dns-right", Asks: "the CN is a wildcard, the SAN right", Leaf: Spec{CN: "*.{parent}"}},
		{Name: "cn-trailing-dot", Asks: "the CN with a trailing dot, no SAN", Leaf: Spec{CN: "{name}.", NoSAN: true}},
		{Name: "underscore", Asks: "a label with an underscore", Judged: "im_a.{parent}", Bare: true},
		{Name: "underscore-wildcard", Asks: "a label with an underscore under a wildcard", Judged: "im_a.{parent}", Leaf: Spec{DNS: []string{"*.{parent}"}}, Bare: true},
		{Name: "hyphen-wildcard", Asks: "a label with hyphens under a wildcard", Judged: "im-a-b.{parent}", Leaf: Spec{DNS: []string{"*.{parent}"}}},
		{Name: "digits", Asks: "a label of digits under a wildcard", Judged: "12.{parent}", Leaf: Spec{DNS: []string{"*.{parent}"}}},
		{Name: "wildcard-xn", Asks: "xn--*.", Judged: "xn--bcher-kva.{parent}", Leaf: Spec{DNS: []string{"xn--*.{parent}"}}},
		{Name: "wildcard-partial-case", Asks: "I*. in other case", Leaf: Spec{CN: "I*.{parent}", DNS: []string{"I*.{parent}"}}},
		{Name: "wildcard-double", Asks: "**.", Leaf: Spec{DNS: []string{"**.{parent}"}}},
		{Name: "wildcard-empty-part", Asks: "im*. for im itself", Leaf: Spec{DNS: []string{"im*.{parent}"}}},
		{Name: "wildcard-cn-partial", Asks: "i*. in the CN, no SAN", Leaf: Spec{CN: "i*.{parent}", NoSAN: true}},
		{Name: "wildcard-deep", Asks: "a wildcard over three labels behind it", Judged: "im.a.{parent}", Leaf: Spec{DNS: []string{"*.a.{parent}"}}},
		{Name: "wildcard-srv-name", Asks: "SRVName with a wildcard", Leaf: Spec{CN: "Contoso Ltd", DNS: []string{}, SRVName: []string{"_xmpp-server.*.{parent}"}}},
		{Name: "srv-name-case", Asks: "SRVName in other case", Leaf: Spec{CN: "Contoso Ltd", DNS: []string{}, SRVName: []string{"_XMPP-Server.IM.{parent}"}}},
		{Name: "srv-name-dns-wrong", Asks: "SRVName right, dNSName wrong", Leaf: Spec{CN: "other.example", DNS: []string{"other.example"}, SRVName: []string{"_xmpp-server.{name}"}}},
		{Name: "xmpp-addr-user", Asks: "XmppAddr with a user beside the right dNSName", Leaf: Spec{XMPPAddr: []string{"user@{name}"}}},
		{Name: "xmpp-addr-other", Asks: "XmppAddr of another domain beside the right dNSName", Leaf: Spec{XMPPAddr: []string{"other.example"}}},
		{Name: "xmpp-addr-case", Asks: "XmppAddr in other case beside the right dNSName", Leaf: Spec{XMPPAddr: []string{"IM.{parent}"}}},
		{Name: "xmpp-addr-underscore", Asks: "XmppAddr with an underscore beside the right dNSName", Leaf: Spec{XMPPAddr: []string{"im_a.{parent}"}}},
		{Name: "xmpp-addr-trailing-dot", Asks: "XmppAddr with a trailing dot beside the right dNSName", Leaf: Spec{XMPPAddr: []string{"{name}."}}},
		{Name: "uri-sips", Asks: "URI sips: entry alone", Leaf: Spec{CN: "Contoso Ltd", DNS: []string{}, URI: []string{"sips:{name}"}}},
		{Name: "uri-sip-port", Asks: "URI sip: entry with a port alone", Leaf: Spec{CN: "Contoso Ltd", DNS: []string{}, URI: []string{"sip:{name}:5061"}}},
		{Name: "uri-sip-case", Asks: "URI SIP: entry in capitals alone", Leaf: Spec{CN: "Contoso Ltd", DNS: []string{}, URI: []string{"SIP:IM.{parent}"}}},
		{Name: "name-many", Asks: "the name last of many", Leaf: Spec{CN: "other.example", DNS: []string{"a.example", "b.example", "c.example", "d.example", "e.example", "*.f.example", "{name}"}}},
		{Name: "name-empty-entry", Asks: "an empty dNSName before the right one", Leaf: Spec{DNS: []string{"", "{name}"}}},
		{Name: "name-leading-dot", Asks: "the parent domain with a leading dot", Leaf: Spec{DNS: []string{".{parent}"}}},
		{Name: "judged-case", Asks: "the judge looks for the name in other case", Judged: "IM.{parent}", Leaf: Spec{DNS: []string{"im.{parent}"}}, Bare: true},
		{Name: "judged-trailing-dot", Asks: "the judge looks for the name with a trailing dot", Judged: "{name}.", Leaf: Spec{DNS: []string{"{name}"}}, Bare: true},
		{Name: "judged-trailing-dot-both", Asks: "certificate and judge have a trailing dot", Judged: "{name}.", Leaf: Spec{DNS: []string{"{name}."}}, Bare: true},
		{Name: "judged-trailing-dot-cn", Asks: "the judge looks for the name with a trailing dot, CN alone", Judged: "{name}.", Leaf: Spec{CN: "{name}", NoSAN: true}, Bare: true},
		{Name: "judged-trailing-dot-wildcard", Asks: "the judge looks for the name with a trailing dot, wildcard", Judged: "{name}.", Leaf: Spec{DNS: []string{"*.{parent}"}}, Bare: true},
		{Name: "judged-ip", Asks: "the judge looks for an address that the SAN has", Judged: "127.0.0.1", Leaf: Spec{CN: "Contoso Ltd", DNS: []string{}, IP: []string{"127.0.0.1"}}, Bare: true},
		{Name: "judged-ip-other", Asks: "the judge looks for an address, the SAN has another", Judged: "127.0.0.1", Leaf: Spec{CN: "Contoso Ltd", DNS: []string{}, IP: []string{"192.0.2.1"}}, Bare: true},
		{Name: "judged-ip-dns", Asks: "the judge looks for an address that a dNSName spells", Judged: "127.0.0.1", Leaf: Spec{CN: "Contoso Ltd", DNS: []string{"127.0.0.1"}}, Bare: true},
		{Name: "judged-ip-cn", Asks: "the judge looks for an address that the CN spells", Judged: "127.0.0.1", Leaf: Spec{CN: "127.0.0.1", NoSAN: true}, Bare: true},
		{Name: "judged-ip-wildcard", Asks: "the judge looks for an address, and a wildcard looks like it", Judged: "127.0.0.1", Leaf: Spec{DNS: []string{"*.0.0.1"}}, Bare: true},
		{Name: "judged-single-label", Asks: "the judge looks for a single label", Judged: "host", Leaf: Spec{DNS: []string{"host"}}, Bare: true},
		{Name: "judged-single-label-wildcard", Asks: "the judge looks for a single label, the SAN has a lone asterisk", Judged: "host", Leaf: Spec{DNS: []string{"*"}}, Bare: true},
		{Name: "idn-u-label-wildcard", Asks: "IDN, U-label judged, wildcard in the SAN", Judged: "bücher.{parent}", Leaf: Spec{DNS: []string{"*.{parent}"}}, Bare: true},
		{Name: "idn-u-label-cn", Asks: "IDN, U-label judged, U-label in the CN, no SAN", Judged: "bücher.{parent}", Leaf: Spec{CN: "bücher.{parent}", NoSAN: true}, Bare: true},
	})
}

// crlVariants asks about CRLs that are odd. The CRL would let the leaf pass if it were taken, unless it says otherwise.
func crlVariants() []Variant {
	var out []Variant
	for _, k := range []struct{ name, asks string }{
		{"expired", "has expired"}, {"future", "isn't valid yet"}, {"forged", "isn't signed by the CA"}, {"delta", "is a delta CRL"},
		{"critical", "has an unknown critical extension"}, {"users-only", "is for the certificates of users"},
		{"cas-only", "is for the certificates of CAs"}, {"none", "doesn't exist"},
	} {
		out = append(out, Variant{Name: "crl-" + k.name, Asks: "the CRL of the leaf's issuer " + k.asks, CRL: k.name})
	}
	for _, k := range []string{"expired", "users-only", "forged"} {
		out = append(out, Variant{Name: "crl-" + k + "-revoked", Asks: "as crl-" + k + ", and it lists the leaf", CRL: k, Revoked: true})
	}
	return group("crl", append(out, Variant{Name: "crl-no-sign", Asks: "the issuer's keyUsage lacks cRLSign", Intermediate: Spec{KeyUsage: []string{"keyCertSign"}}}))
}
