package delegation

import "strings"

// PlainName writes a name for people. Names are what others chose: one that has a blank
// or anything else that names do not normally have is quoted, so that it cannot pass for
// what stands beside it. Plain are the letters and digits of ASCII and _-./:@+~=*. The
// empty name, which is none, stays empty.
func PlainName(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return r > '~' || !plainRune(r) }) {
		return quote(name)
	}
	return name
}
