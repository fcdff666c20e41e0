package revoke

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/whittle-auth/whittle/verify/internal/lockfile"
)

// ErrLocked says that another process is changing the list.
var ErrLocked = lockfile.ErrLocked

// A Change is what [Edit] does to a list besides saying that it is as of now.
type Change struct {
	Add   []Entry
	Prune bool // remove entries that have ended
}

// Changed is what [Edit] did.
type Changed struct {
	Created bool    // there was no list before
	Added   []Entry // without those that were known for as long already
	Pruned  int
}

// Edit changes the list in a file: as a whole or not at all, and one process at a
// time. It keeps what else stands there, comments too. A file that does not exist
// or is empty becomes a list; one that is no list is an error and stays as it is.
// now must not be before the list's own time.
func Edit(path string, now time.Time, c Change) (*Changed, error) {
	for i := range c.Add {
		if err := c.Add[i].Validate(); err != nil {
			return nil, err
		}
	}
	f, err := lockfile.Open(path, 0o644)
	if err != nil {
		return nil, lockfile.Cause(err)
	}
	defer f.Close()
	data, _, err := contents(path)
	if err != nil {
		return nil, err
	}
	d, done := &document{}, &Changed{Created: len(data) == 0}
	if done.Created {
		d.lines = []line{{asOf: true}}
	} else if d, err = parse(data); err != nil {
		return nil, err
	}
	if err := d.update(now.UTC().Truncate(time.Second)); err != nil {
		return nil, err
	}
	if c.Prune {
		done.Pruned = d.prune(now)
	}
	for i := range c.Add {
		if d.add(&c.Add[i]) {
			done.Added = append(done.Added, c.Add[i])
		}
	}
	text := d.text()
	if _, err := parse(text); err != nil {
		return nil, fmt.Errorf("the list could not be read any more: %w", err)
	}
	return done, lockfile.Cause(f.Replace(text))
}

// update says that the list is as of now.
func (d *document) update(now time.Time) error {
	if now.Before(d.asOf) {
		return fmt.Errorf("the list is as of %s, and it is only %s", format(d.asOf), format(now))
	}
	if now.Unix() < 0 || now.Year() > 9999 {
		return errors.New("a time must lie in the years 1970 to 9999")
	}
	d.asOf = now
	for i := range d.lines {
		if l := &d.lines[i]; l.asOf {
			_, comment, ok := strings.Cut(l.text, "#")
			l.text = "as-of " + format(now)
			if ok {
				l.text += " #" + comment
			}
		}
	}
	return nil
}

// add reports whether an entry says something new.
func (d *document) add(e *Entry) bool {
	for i := range d.lines {
		if known := d.lines[i].entry; known != nil && known.covers(e) {
			return false
		}
	}
	d.lines = append(d.lines, line{text: e.text(), entry: e})
	return true
}

func (d *document) prune(now time.Time) (n int) {
	kept := d.lines[:0]
	for _, l := range d.lines {
		if l.entry != nil && l.entry.ended(now) {
			n++
			continue
		}
		kept = append(kept, l)
	}
	d.lines = kept
	return n
}

// text returns the document as it is written.
func (d *document) text() []byte {
	var b strings.Builder
	for i := range d.lines {
		b.WriteString(d.lines[i].text)
		b.WriteByte('\n')
	}
	b.WriteString(ending + "\n")
	return []byte(b.String())
}

// text returns the line of an entry.
func (e *Entry) text() string {
	text := e.Kind.String() + " " + e.Value()
	if !e.Until.IsZero() {
		text += " until=" + format(e.Until)
	}
	if e.Comment != "" {
		text += " # " + strings.TrimSpace(e.Comment)
	}
	return text
}
