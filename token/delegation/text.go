package delegation

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/whittle-auth/whittle/token"
)

// A TextError says where the text of a caveat cannot be read. Found is not repeated
// where it looks like a secret: see [token.LooksSecret].
type TextError struct {
	Column   int // in characters, from 1
	Expected string
	Found    string
}

func (e *TextError) Error() string {
	return fmt.Sprintf("column %d: expected %s, found %s", e.Column, e.Expected, e.Found)
}

// forms are the words with which the text of a caveat begins.
var forms = []struct {
	keyword string
	read    func(*textReader) []Caveat
}{
	{"expires", func(r *textReader) []Caveat { return one(Expires(r.time())) }},
	{"not", func(r *textReader) []Caveat {
		r.keyword("before")
		return one(ValidFrom(r.time()))
	}},
	{"window", (*textReader).window},
	{"resource", func(r *textReader) []Caveat { return one(Resource(r.list("a path such as a/b or a/**")...)) }},
	{"operation", func(r *textReader) []Caveat { return one(Operation(r.list("the name of an operation")...)) }},
	{"audience", func(r *textReader) []Caveat { return one(Audience(r.list("the name of a service")...)) }},
	{"agent", func(r *textReader) []Caveat { return one(Agent(r.list("a name such as agent:ci or agent:ci/**")...)) }},
	{"agent-key", func(r *textReader) []Caveat { return one(AgentKeys{r.keys()}) }},
	{"depth", func(r *textReader) []Caveat {
		r.keyword("at")
		r.keyword("most")
		return one(Depth{r.integer()})
	}},
	{"context", func(r *textReader) []Caveat {
		name := r.text("the name of the context")
		return one(Context(name, r.scalars("a value")...))
	}},
	{"arg", (*textReader).arg},
	{"approval", func(r *textReader) []Caveat {
		r.keyword("by")
		if _, ok := exactInteger(r.peek().text); ok {
			return r.quorum()
		}
		return one(Approval{r.keys()})
	}},
}

func one(c Caveat) []Caveat { return []Caveat{c} }

// ParseCaveat reads the text form of a caveat, which is what its String method
// writes; spec/caveats.md has the grammar. A text that does not conform is an
// error of type [*TextError].
func ParseCaveat(text string) (Caveat, error) {
	list, err := ParseCaveats(text)
	if err != nil {
		return nil, err
	}
	if len(list) > 1 {
		return nil, fmt.Errorf("%q are two caveats: %s, and %s", text, list[0], list[1])
	}
	return list[0], nil
}

// ParseCaveats reads one text as [ParseCaveat] does. "window mon-fri 02:00-04:00"
// is two caveats.
func ParseCaveats(text string) ([]Caveat, error) {
	r := &textReader{source: text, rest: strings.TrimLeft(text, blanks)}
	if w := r.peek(); w.text == "check" || w.text == "reject" {
		c, err := ParseCheck(text)
		if err != nil {
			return nil, err
		}
		return []Caveat{c}, nil
	}
	var keywords []string
	first := r.word()
	for _, f := range forms {
		if f.keyword == first.text && !first.quoted {
			list := f.read(r)
			if last := r.peek(); last.text != "" || last.quoted {
				r.fail(last, "the end")
			}
			if r.err != nil {
				return nil, r.err
			}
			for _, c := range list {
				if err := c.Validate(); err != nil {
					return nil, err
				}
			}
			return list, nil
		}
		keywords = append(keywords, f.keyword)
	}
	r.fail(first, "one of "+strings.Join(keywords, ", ")+", check, reject")
	return nil, r.err
}

const blanks = " \t"

// A textReader takes a text apart into words. After the first error, which it
// keeps, it returns empty values.
type textReader struct {
	source, rest string
	err          error
}

type textWord struct {
	text   string
	quoted bool
	at     int // byte offset
}

func (r *textReader) fail(at textWord, expected string) {
	if r.err != nil {
		return
	}
	found := quote(at.text)
	if at.text == "" && !at.quoted {
		found = "the end"
	} else if token.LooksSecret(at.text) || token.LooksSecret(r.around(at.at)) {
		found = "what looks like a secret and is not repeated"
	}
	r.err = &TextError{utf8.RuneCountInString(r.source[:at.at]) + 1, expected, found}
}

// around returns the text between the blanks before and after a byte.
func (r *textReader) around(at int) string {
	begin := strings.LastIndexAny(r.source[:at], blanks) + 1
	if end := strings.IndexAny(r.source[at:], blanks); end >= 0 {
		return r.source[begin : at+end]
	}
	return r.source[begin:]
}

// peek returns the next word without taking it.
func (r *textReader) peek() textWord {
	before := *r
	w := r.word()
	if r.err != nil && before.err == nil {
		w = textWord{text: r.rest, at: len(r.source) - len(r.rest)}
	}
	*r = before
	return w
}

// word takes the next word; at the end it is empty and not quoted.
func (r *textReader) word() textWord {
	w := textWord{at: len(r.source) - len(r.rest)}
	if r.err != nil || r.rest == "" {
		return w
	}
	if r.rest[0] == '"' {
		text, rest, err := unquote(r.rest)
		if err != nil {
			r.err = &TextError{utf8.RuneCountInString(r.source[:w.at]) + 1, "a JSON string", err.Error()}
			return w
		}
		if rest != "" && !strings.ContainsRune(blanks, rune(rest[0])) {
			w.text, w.at = rest, len(r.source)-len(rest)
			r.fail(w, "a space after the closing quote")
			return w
		}
		w.text, w.quoted = text, true
		r.rest = strings.TrimLeft(rest, blanks)
		return w
	}
	end := strings.IndexAny(r.rest, blanks)
	if end < 0 {
		end = len(r.rest)
	}
	w.text = r.rest[:end]
	for i, c := range w.text {
		if !plainRune(c) && c != ',' {
			r.fail(textWord{text: w.text[i:], at: w.at + i}, "a letter, a digit or one of _-./:@+~=* (put other text in JSON quotes)")
			return w
		}
	}
	r.rest = strings.TrimLeft(r.rest[end:], blanks)
	return w
}

// keyword takes a word that must be there.
func (r *textReader) keyword(want string) {
	if w := r.word(); w.text != want || w.quoted {
		r.fail(w, want)
	}
}

// text takes a word or a string.
func (r *textReader) text(expected string) string {
	w := r.word()
	if w.text == "" && !w.quoted || strings.Contains(w.text, ",") && !w.quoted {
		r.fail(w, expected)
	}
	return w.text
}

// more takes the separator, if it comes next.
func (r *textReader) more() bool {
	if w := r.peek(); w.text != separator || w.quoted || r.err != nil {
		return false
	}
	r.word()
	return true
}

// list takes texts with the separator between them.
func (r *textReader) list(expected string) []string {
	var list []string
	for {
		if w := r.peek(); w.text == separator && !w.quoted {
			r.fail(w, expected)
		}
		list = append(list, r.text(expected))
		if !r.more() {
			return list
		}
	}
}

func (r *textReader) time() time.Time {
	w := r.word()
	t, err := time.Parse(time.RFC3339, w.text)
	if err != nil || w.quoted {
		r.fail(w, "an RFC 3339 time such as 2026-01-31T12:00:00Z")
	}
	return t
}

func (r *textReader) integer() int64 {
	w := r.word()
	n, ok := exactInteger(w.text)
	if !ok || w.quoted {
		r.fail(w, "a 64-bit integer")
	}
	return n
}

// exactInteger reads an integer in its one spelling.
func exactInteger(s string) (n int64, ok bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && strconv.FormatInt(n, 10) == s
}

// window takes weekdays, a part of the day, or both.
func (r *textReader) window() []Caveat {
	const expected = "weekdays such as mon-fri, or a part of the day such as 02:00-04:00"
	first := r.word()
	if hours, ok := parseHours(first.text); ok && !first.quoted {
		return one(hours)
	}
	days, ok := parseDays(first.text)
	if !ok || first.quoted {
		r.fail(first, expected)
		return nil
	}
	if r.peek().text == "" {
		return one(days)
	}
	second := r.word()
	hours, ok := parseHours(second.text)
	if !ok || second.quoted {
		r.fail(second, "a part of the day such as 02:00-04:00")
		return nil
	}
	if hours.From > hours.To {
		// Days end at midnight, so the second half would count for the next day.
		r.fail(second, "a part of the day that ends before midnight, since what follows is another weekday")
		return nil
	}
	return []Caveat{days, hours}
}

func parseHours(s string) (h Hours, ok bool) {
	from, to, found := strings.Cut(s, "-")
	h.From, ok = parseClock(from)
	if !found || !ok {
		return h, false
	}
	h.To, ok = parseClock(to)
	return h, ok
}

// parseClock reads 00:00 to 24:00.
func parseClock(s string) (minute int, ok bool) {
	if len(s) != 5 || s[2] != ':' {
		return 0, false
	}
	h, err1 := strconv.ParseUint(s[:2], 10, 8)
	m, err2 := strconv.ParseUint(s[3:], 10, 8)
	minute = int(h*60 + m)
	return minute, err1 == nil && err2 == nil && m < 60 && minute <= minutesOfDay
}

// parseDays reads mon,wed and mon-fri; fri-mon goes over the weekend.
func parseDays(s string) (w Weekdays, ok bool) {
	var on [8]bool
	for part := range strings.SplitSeq(s, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, to := dayNumber(first), dayNumber(last)
		if from == 0 || to == 0 {
			return w, false
		}
		for d := from; ; d = d%7 + 1 {
			on[d] = true
			if d == to {
				break
			}
		}
	}
	for d := 1; d <= 7; d++ {
		if on[d] {
			w.Days = append(w.Days, d)
		}
	}
	return w, true
}

func dayNumber(name string) int {
	for i, n := range dayNames {
		if n == name {
			return i + 1
		}
	}
	return 0
}

func (r *textReader) keys() []token.PublicKey {
	const expected = "a public key such as ed25519/HEX"
	first := r.peek()
	keys, err := parseKeys(r.list(expected))
	if err != nil {
		r.fail(first, expected)
	}
	return keys
}

// quorum takes the text of [Quorum]: 2 of K1, K2, K3.
func (r *textReader) quorum() []Caveat {
	need := r.integer()
	r.keyword("of")
	first := r.peek()
	var names []string
	for more := true; more; {
		var name string
		name, more = strings.CutSuffix(r.word().text, ",")
		names = append(names, name)
	}
	keys, err := parseKeys(names)
	if err != nil {
		r.fail(first, "public keys such as ed25519/HEX, with commas between them")
		return nil
	}
	caveats, err := Approvals(int(min(max(need, 0), maxApprovers+1)), keys...)
	if err != nil {
		r.fail(first, "keys of which so many can approve: "+err.Error())
	}
	return caveats
}

// scalars takes values with the separator between them.
func (r *textReader) scalars(expected string) []any {
	var list []any
	for {
		w := r.word()
		n, isInteger := exactInteger(w.text)
		switch {
		case w.quoted:
			list = append(list, w.text)
		case isInteger:
			list = append(list, n)
		case w.text == "true" || w.text == "false":
			list = append(list, w.text == "true")
		case w.text == "null":
			list = append(list, nil)
		case w.text != "" && bareString(w.text):
			list = append(list, w.text)
		default:
			r.fail(w, expected+": an integer, a word, true, false, null or a JSON string")
			return nil
		}
		if !r.more() {
			return list
		}
	}
}

func (r *textReader) arg() []Caveat {
	name := r.text("the name of an argument")
	w := r.peek()
	if !w.quoted {
		switch w.text {
		case "set":
			r.word()
			return one(ArgSet{name})
		case "unset":
			r.word()
			return one(ArgUnset{name})
		case "prefix":
			r.word()
			return one(ArgPrefix{name, r.text("the beginning of a string")})
		case "matches":
			r.word()
			return one(ArgMatches{name, r.text("a regular expression")})
		case "under":
			r.word()
			return one(ArgUnder(name, r.list("a path such as a/b")...))
		case "host":
			r.word()
			return one(ArgURL(name, r.list("a host such as x.org or **.x.org")...))
		case "cidr":
			r.word()
			return r.networks(name)
		}
		if strings.Contains(w.text, "..") {
			return r.integerRange(name)
		}
	}
	return one(ArgIs(name, r.scalars("a value, a range such as 1..100, or one of set, unset, prefix, under, cidr, host, matches")...))
}

func (r *textReader) networks(name string) []Caveat {
	const expected = "a network such as 10.0.0.0/8"
	first := r.peek()
	var list []netip.Prefix
	for _, text := range r.list(expected) {
		n, err := netip.ParsePrefix(text)
		if err != nil {
			r.fail(first, expected)
		}
		list = append(list, n)
	}
	return one(ArgIn(name, list...))
}

func (r *textReader) integerRange(name string) []Caveat {
	w := r.word()
	a := ArgRange{name, math.MinInt64, math.MaxInt64}
	lo, hi, _ := strings.Cut(w.text, "..")
	okLo, okHi := lo == "" && hi != "", hi == "" && lo != ""
	if lo != "" {
		a.Min, okLo = exactInteger(lo)
	}
	if hi != "" {
		a.Max, okHi = exactInteger(hi)
	}
	if !okLo || !okHi {
		r.fail(w, "a range of integers such as 1..100, 1.. or ..100 (put other text in JSON quotes)")
	}
	return one(a)
}
