package report

// A style marks up text for a terminal; the zero style leaves it as it is. Colour never carries meaning of its own:
// whatever is red also says so.
type style struct{ colour bool }

func (s style) wrap(code, text string) string {
	if !s.colour || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s style) bold(t string) string { return s.wrap("1", t) }
func (s style) dim(t string) string  { return s.wrap("2", t) }
func (s style) bad(t string) string  { return s.wrap("1;31", t) }
func (s style) good(t string) string { return s.wrap("32", t) }
