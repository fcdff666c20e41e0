package delegation_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/token/delegation"
)

// TestReadmeCaveats: the texts of caveats that the README lists can be written.
func TestReadmeCaveats(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(readme), "\n## Caveats\n")
	section, _, _ = strings.Cut(section, "\n## ")
	read := 0
	for line := range strings.Lines(section) {
		cell, _, ok := strings.Cut(strings.TrimPrefix(line, "| "), " | ")
		if !ok || strings.HasPrefix(cell, "`--") {
			continue
		}
		for _, quoted := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cell, -1) {
			read++
			list, err := delegation.ParseCaveats(quoted[1])
			if err != nil {
				t.Errorf("%s: %v", quoted[1], err)
			}
			for _, c := range list {
				if err := c.Validate(); err != nil {
					t.Errorf("%s: %v", quoted[1], err)
				}
			}
		}
	}
	if read < 15 {
		t.Errorf("the README lists %d texts of caveats", read)
	}
}
