package policy

import "strings"

// wildcards are the values of Wildcard and CNWildcard.
var wildcards = []string{"none", "label", "partial", "leading", "glob", "glob-once", "any-label", "suffix"}

// covers reports whether a presented name with an asterisk stands for want under these rules.
func (r *nameRules) covers(wildcard, presented, want string) bool {
	if r.Dot == "ignored" {
		presented = strings.TrimSuffix(presented, ".")
	}
	if !strings.Contains(presented, "*") || r.Sought == "host" && !isHost(want, "-_.") || r.Sought == "ldh-host" && !isHost(want, "-.") {
		return false
	}
	if rest, ok := strings.CutPrefix(presented, "*."); ok && wildcard == "suffix" {
		return r.equal(rest, want) || len(want) > len(rest)+1 && r.equal("."+rest, want[len(want)-len(rest)-1:])
	}
	label, rest, ok := strings.Cut(presented, ".")
	wantLabel, wantRest, wantOK := strings.Cut(want, ".")
	if !ok || !wantOK || wantLabel == "" || strings.Count(rest, ".")+1 < r.WildcardLabels {
		return false
	}
	if wildcard == "any-label" {
		return globLabels(strings.ToLower(presented), strings.ToLower(want))
	}
	if !strings.Contains(label, "*") || strings.Contains(rest, "*") || !r.equal(rest, wantRest) {
		return false
	}
	switch wildcard {
	case "label":
		return label == "*"
	case "partial":
		return partial(label, wantLabel)
	case "leading":
		return label[0] == '*' && !strings.Contains(label[1:], "*") && len(wantLabel) >= len(label)-1 &&
			r.equal(label[1:], wantLabel[len(wantLabel)-len(label)+1:])
	case "glob-once":
		return strings.Count(label, "*") == 1 && glob(strings.ToLower(label), strings.ToLower(wantLabel))
	case "glob":
		return glob(strings.ToLower(label), strings.ToLower(wantLabel))
	}
	return false
}

// globLabels matches label by label. The last asterisk must have a dot behind it.
func globLabels(pattern, want string) bool {
	ps, ws := strings.Split(pattern, "."), strings.Split(want, ".")
	if len(ps) != len(ws) || strings.Contains(ps[len(ps)-1], "*") {
		return false
	}
	for i := range ps {
		if !glob(ps[i], ws[i]) {
			return false
		}
	}
	return true
}

// glob reports whether s matches a pattern whose asterisks stand for any characters, none included.
func glob(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == s
	}
	if !strings.HasPrefix(s, parts[0]) {
		return false
	}
	s = s[len(parts[0]):]
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(s, p)
		if i < 0 {
			return false
		}
		s = s[i+len(p):]
	}
	return strings.HasSuffix(s, parts[len(parts)-1])
}

// nearWildcard reports whether someone could think that presented, a name with an asterisk, covers want: its text
// does, or it covers what is right below want.
func nearWildcard(presented, want string) bool {
	presented, want = strings.ToLower(presented), strings.ToLower(want)
	if !strings.Contains(presented, "*") {
		return false
	}
	return presented == "*."+want || glob(presented, want)
}
