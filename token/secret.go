package token

import "strings"

// LooksSecret finds private keys and tokens in a text, also misspelt ones: by their
// words, and by runs of 40 and more of the characters that they are written in. Whoever
// writes an error does not repeat such a text: messages end up in logs. It takes public
// keys and digests for secrets too.
func LooksSecret(text string) bool {
	if strings.Contains(strings.ToLower(text), "private/") || strings.Contains(text, "-----") || strings.HasPrefix(text, "Bearer ") {
		return true
	}
	run := 0
	for _, r := range text {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', strings.ContainsRune("+_=-", r):
			run++
		default:
			run = 0
		}
		if run >= 40 {
			return true
		}
	}
	return false
}
