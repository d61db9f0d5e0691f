package sympos

import "path"

// Paths is to be replaced.
func (t *Table) Paths(object, name string) ([]string, error) {
	var all []string
	for _, s := range t.Lookup(object, name) {
		all = append(all, s.File)
	}
	return all, nil
}

// MatchFile is to be replaced.
func MatchFile(paths []string, want string) (indexes []int, full bool) {
	for i, p := range paths {
		if p != "" && path.Base(p) == path.Base(want) {
			indexes = append(indexes, i)
		}
	}
	return indexes, false
}
