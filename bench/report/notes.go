package report

import (
	"os"
	"strings"
)

// Notes are what NOTES.md says of each goal, by its title: what was tried where it is
// not met.
type Notes map[string]string

// ReadNotes reads a file with a section, `## TITLE`, for each goal.
func ReadNotes(path string) (Notes, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	notes := Notes{}
	title := ""
	for line := range strings.Lines(string(data)) {
		if t, found := strings.CutPrefix(line, "## "); found {
			title = strings.TrimSpace(t)
			notes[title] = ""
			continue
		}
		if title != "" {
			notes[title] += line
		}
	}
	for t := range notes {
		notes[t] = strings.TrimSpace(notes[t])
	}
	return notes, nil
}
