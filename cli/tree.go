package cli

import (
	"fmt"
	"io"

	"github.com/whittle-auth/whittle/verify"
)

// refusalMark stands at the left of each line that refuses.
const refusalMark = "✗ "

// print shows a drawing as a tree: whoever has the token stands below
// whoever handed it on, and what each allows below the name.
func (d *drawing) print(w io.Writer) {
	line := func(refuses bool, format string, args ...any) {
		mark := "  "
		if refuses {
			mark = refusalMark
		}
		fmt.Fprintf(w, "%s%s\n", mark, oneLine(fmt.Sprintf(format, args...)))
	}
	line(false, "%s", d.delegator)
	indent := ""
	for i := range d.rows {
		r := &d.rows[i]
		line(r.refuses && len(r.notes) > 0, "%s└─ %s", indent, r.title(d))
		indent += "   "
		for _, note := range r.notes {
			line(false, "%s│    %s", indent, note)
		}
		for _, l := range r.lines {
			line(l.refuses, "%s│  %s", indent, l.text)
			for _, note := range l.notes {
				line(false, "%s│    %s", indent, note)
			}
		}
	}
	if d.supposed {
		line(false, "%s└─ %s, if invoked", indent, d.request)
		indent += "   "
	}
	if d.service != "" && len(d.notes) > 0 {
		line(true, "%s└─ %s, the service", indent, d.service)
		for _, note := range d.notes {
			line(false, "%s     %s", indent, note)
		}
	}
}

func (r *row) title(d *drawing) string {
	switch r.kind {
	case verify.HopNarrow:
		return "(narrows)"
	case verify.HopBearer:
		return "(bearer)"
	case verify.HopApproval:
		return "(approval by " + r.approver + ")"
	case verify.HopInvocation:
		return "(asks " + d.service + ")"
	}
	return r.holder
}
