package page

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/whittle-auth/whittle/cli/reading"
)

// sizes shows what each block takes.
func sizes(r *reading.Reading) Element {
	total := wireSize(r)
	var rows parts
	for i := range r.Blocks {
		n := r.Unverified.BlockSize(i)
		rows = append(rows, el("tr", el("th", attr("scope", "row"), text(fmt.Sprintf("Block %d", i))), el("td", class("number"), text(strconv.Itoa(n))), el("td", class("wide"), bar(n, total))))
	}
	blocks := 0
	for i := range r.Blocks {
		blocks += r.Unverified.BlockSize(i)
	}
	rows = append(rows,
		el("tr", el("th", attr("scope", "row"), text("Frame and proof")), el("td", class("number"), text(strconv.Itoa(total-blocks))), el("td", class("wide"), bar(total-blocks, total))),
		el("tr", class("total"), el("th", attr("scope", "row"), text("Together")), el("td", class("number"), text(strconv.Itoa(total))), el("td", class("wide"), text(fmt.Sprintf("as text, %d characters", len(r.Unverified.Text()))))))
	return el("section", attr("aria-labelledby", "size"),
		el("h2", id("size"), text("Size")),
		table([]string{"Part", "Bytes", "Share"}, rows),
	)
}

// bar draws a share; what it says stands beside it as a number.
func bar(n, total int) Element {
	return el("svg", class("bar"), attr("viewBox", "0 0 100 4"), attr("preserveAspectRatio", "none"), attr("aria-hidden", "true"),
		el("rect", class("rest"), attr("width", "100"), attr("height", "4")),
		el("rect", class("share"), attr("width", strconv.Itoa(max(1, 100*n/max(1, total)))), attr("height", "4")))
}

func wireSize(r *reading.Reading) int {
	return base64.RawURLEncoding.DecodedLen(len(strings.TrimPrefix(r.Unverified.Text(), "whittle:")))
}
