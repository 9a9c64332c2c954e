package wire

import "testing"

func TestClearAlert(t *testing.T) {
	alert := []byte{21, 3, 3, 0, 2, 2, 43}
	hello := []byte{22, 3, 1, 0, 3, 1, 2, 3}
	for _, tt := range []struct {
		name string
		in   []byte
		want uint8
	}{
		{"alert alone", alert, 43},
		{"after another record", append(hello[:len(hello):len(hello)], alert...), 43},
		{"a warning", []byte{21, 3, 3, 0, 2, 1, 0}, 0},
		{"encrypted in TLS 1.2", append([]byte{21, 3, 3, 0, 26}, make([]byte, 26)...), 0},
		{"encrypted in TLS 1.3", append([]byte{23, 3, 3, 0, 19}, make([]byte, 19)...), 0},
		{"cut short", alert[:6], 0},
		{"empty record first", append([]byte{23, 3, 3, 0, 0}, alert...), 43},
	} {
		for _, size := range []int{1, 2, 3, 5, 7, 100} { // however TCP cuts it
			var c clearAlert
			for rest := tt.in; len(rest) > 0; {
				n := min(size, len(rest))
				c.see(rest[:n])
				rest = rest[n:]
			}
			if c.alert != tt.want {
				t.Errorf("%s, %d bytes at a time: alert %d, want %d", tt.name, size, c.alert, tt.want)
			}
		}
	}
}

func FuzzClearAlert(f *testing.F) {
	f.Add([]byte{21, 3, 3, 0, 2, 2, 43}, 1)
	f.Fuzz(func(t *testing.T, in []byte, cut int) {
		var whole, parts clearAlert
		whole.see(in)
		if cut < 0 || cut > len(in) {
			cut = 0
		}
		parts.see(in[:cut])
		parts.see(in[cut:])
		if whole.alert != parts.alert {
			t.Errorf("alert %d read at once, %d cut at %d", whole.alert, parts.alert, cut)
		}
	})
}
