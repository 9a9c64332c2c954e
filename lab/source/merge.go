package source

// Merge lays over on top of base and returns the result; neither is changed. Mappings are merged key by key. A list
// replaces the base's, except where byName says that its items are mappings with a name: those are merged item by
// item, new ones following. A null in over takes away what base has.
func Merge(base, over *Node, byName func(Path) bool) *Node {
	return merge("", base, over, byName)
}

func merge(path Path, base, over *Node, byName func(Path) bool) *Node {
	switch {
	case base == nil:
		return over
	case over == nil:
		return base
	case base.Kind == Mapping && over.Kind == Mapping:
		return mergeMappings(path, base, over, byName)
	case base.Kind == List && over.Kind == List && byName(path):
		return mergeByName(path, base, over, byName)
	}
	return over
}

func mergeMappings(path Path, base, over *Node, byName func(Path) bool) *Node {
	result := *over
	result.Entries = nil
	for _, e := range base.Entries {
		o, ok := over.entry(e.Key.Value)
		switch {
		case !ok:
			result.Entries = append(result.Entries, e)
		case !o.Value.IsNull():
			result.Entries = append(result.Entries, Entry{Key: o.Key, Value: merge(path.Child(e.Key.Value), e.Value, o.Value, byName)})
		}
	}
	for _, e := range over.Entries {
		if _, ok := base.entry(e.Key.Value); !ok {
			result.Entries = append(result.Entries, e)
		}
	}
	return &result
}

func mergeByName(path Path, base, over *Node, byName func(Path) bool) *Node {
	result := *over
	result.Items = nil
	taken := make([]bool, len(over.Items))
	for i, item := range base.Items {
		merged := item
		for j, o := range over.Items {
			name := o.Get("name")
			if taken[j] || name.IsNull() || item.Get("name").IsNull() || name.Value != item.Get("name").Value {
				continue
			}
			merged, taken[j] = merge(path.At(i), item, o, byName), true
			break
		}
		result.Items = append(result.Items, merged)
	}
	for j, o := range over.Items {
		if !taken[j] {
			result.Items = append(result.Items, o)
		}
	}
	return &result
}
