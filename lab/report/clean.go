package report

import (
	"reflect"
	"strings"
	"time"

	"github.com/edgelab/edgelab/lab"
)

// cleaned returns a copy of r in which every string is printable, and lines end as they do here.
func cleaned(r *lab.Result) *lab.Result {
	return cleanedValue(reflect.ValueOf(r)).Interface().(*lab.Result)
}

func cleanedValue(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.String:
		out := reflect.New(v.Type()).Elem()
		out.SetString(printable(strings.ReplaceAll(v.String(), "\r\n", "\n")))
		return out
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		out := reflect.New(v.Type().Elem())
		out.Elem().Set(cleanedValue(v.Elem()))
		return out
	case reflect.Slice:
		if v.IsNil() {
			return v
		}
		out := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			out.Index(i).Set(cleanedValue(v.Index(i)))
		}
		return out
	case reflect.Struct:
		out := reflect.New(v.Type()).Elem()
		out.Set(v)
		if v.Type() == reflect.TypeFor[time.Time]() {
			return out
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				out.Field(i).Set(cleanedValue(v.Field(i)))
			}
		}
		return out
	}
	return v
}
