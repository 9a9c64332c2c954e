package report_test

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/lint"
)

// Every key of the JSON form stands in json.md.
func TestJSONKeysAreDocumented(t *testing.T) {
	text, err := os.ReadFile("json.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[reflect.Type]bool{}
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice:
			walk(typ.Elem())
		case reflect.Struct:
			if seen[typ] || typ == reflect.TypeFor[time.Time]() {
				return
			}
			seen[typ] = true
			for f := range typ.NumField() {
				field := typ.Field(f)
				if !field.IsExported() {
					continue
				}
				key, _, _ := strings.Cut(field.Tag.Get("json"), ",")
				if field.Anonymous {
					walk(field.Type)
					continue
				}
				if key == "" {
					t.Errorf("%s.%s has no json key", typ, field.Name)
				}
				if !strings.Contains(string(text), "`"+key+"`") {
					t.Errorf("json.md doesn't name %q, the key of %s.%s", key, typ, field.Name)
				}
				walk(field.Type)
			}
		}
	}
	for _, typ := range []reflect.Type{
		reflect.TypeFor[lab.Result](), reflect.TypeFor[lab.Offered](), reflect.TypeFor[lab.Chosen](), reflect.TypeFor[lab.Bought](), reflect.TypeFor[lab.Renewal](),
		reflect.TypeFor[lab.Mutations](), reflect.TypeFor[lab.Minimum](), reflect.TypeFor[lab.Timeline](), reflect.TypeFor[lint.Finding](),
	} {
		walk(typ)
	}
}
