package trust

import (
	"encoding/base64"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"pgregory.net/rapid"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
)

// blob builds a key line of any type.
func blob(name string, parts ...string) string {
	b := ssh.Marshal(struct{ Name string }{name})
	for _, p := range parts {
		b = append(b, ssh.Marshal(struct{ Part string }{p})...)
	}
	return name + " " + base64.StdEncoding.EncodeToString(b)
}

func TestParse(t *testing.T) {
	ed, p256 := newKey(t, datalog.Ed25519, 1).Public(), newKey(t, datalog.Secp256r1, 2).Public()
	file := strings.Join([]string{
		"\ufeff# who may mint",
		"",
		"  \t",
		`alice@example.com namespaces="whittle" ` + ed.AuthorizedKey("alice's laptop"),
		"\t# indented comment",
		`  bob@x.org,*@ops.example.com` + "\t" + `NameSpaces="git,whittle,file",valid-after="20260101Z",valid-before="202701010000Z"  ` + p256.AuthorizedKey("") + "\r",
		`carol@example.com ` + ed.AuthorizedKey("no namespaces: git only"),
		`carol@example.com namespaces="git" ` + ed.AuthorizedKey(""),
		`carol@example.com namespaces="*" ` + ed.AuthorizedKey(""),
		`carol@example.com namespaces="whittle2,not-whittle" ` + ed.AuthorizedKey(""),
		`!dave@*,x? namespaces="git",valid-before="20260101" ` + ed.AuthorizedKey(""),
		`carol@example.com ` + blob("ssh-rsa", "\x03", "modulus"),
		`carol@example.com namespaces="a \" quote" ` + blob("sk-ssh-ed25519@openssh.com", "key", "ssh:") + " token",
		`carol@example.com ` + blob("ssh-future-algorithm", "x"),
		`alice@example.com namespaces="whittle" ` + ed.AuthorizedKey("the same once more"),
	}, "\n")
	got := parse(t, file).Entries()
	want := []Entry{
		{Principals: []string{"alice@example.com"}, Key: ed, Comment: "alice's laptop", Line: 4},
		{
			Principals: []string{"bob@x.org", "*@ops.example.com"}, Key: p256, Line: 6,
			ValidAfter: utc(t, "2026-01-01T00:00:00Z"), ValidBefore: utc(t, "2027-01-01T00:00:00Z"),
		},
		{Principals: []string{"alice@example.com"}, Key: ed, Comment: "the same once more", Line: 15},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	crlf := parse(t, strings.ReplaceAll(strings.ReplaceAll(file, "\r", ""), "\n", "\r\n")).Entries()
	for i := range crlf {
		if !reflect.DeepEqual(crlf[i], want[i]) {
			t.Errorf("with CRLF\n%+v\nwant\n%+v", crlf[i], want[i])
		}
	}
	if len(crlf) != len(want) {
		t.Errorf("%d entries with CRLF", len(crlf))
	}
	for _, empty := range []string{"", "\n", "# only a comment", "\ufeff", "\r\n\r\n"} {
		if n := len(parse(t, empty).Entries()); n != 0 {
			t.Errorf("%q has %d entries", empty, n)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	key := newKey(t, datalog.Ed25519, 1).Public().AuthorizedKey("")
	p256 := newKey(t, datalog.Secp256r1, 1).Public().AuthorizedKey("")
	keyType, b64, _ := strings.Cut(key, " ")
	_, p256b64, _ := strings.Cut(p256, " ")
	w := `namespaces="whittle"`
	for name, c := range map[string]struct{ line, want string }{
		"one field":              {"alice", "one field"},
		"no key":                 {"alice " + w, "no key"},
		"no base64":              {"alice " + w + " ssh-ed25519", "no key"},
		"bad base64":             {"alice " + w + " ssh-ed25519 A*", "no key"},
		"huge length in the key": {"alice " + w + " ssh-ed25519 /////w==", "no key"},
		"cut key":                {"alice " + w + " " + key[:len(key)-4], "invalid ssh-ed25519 key"},
		"types disagree":         {"alice " + w + " ssh-ed25519 " + p256b64, "no key"},
		"no principals":          {w + " " + key, "no principals"},
		"CA without principals":  {"cert-authority " + key, "no principals"},
		"only a key":             {key, "neither an option"},
		"unknown option":         {"alice " + w + `,verify-required ` + key, `"verify-required"`},
		"option of whittle":      {"alice " + w + `,whittle-key-id="1" ` + key, "neither an option"},
		"option without value":   {"alice namespaces " + key, "double quotes"},
		"option without quotes":  {"alice namespaces=whittle " + key, "double quotes"},
		"single quotes":          {"alice namespaces='whittle' " + key, "double quotes"},
		"open quote":             {`alice namespaces="whittle ` + key, "never closed"},
		"escaped end":            {`alice namespaces="whittle\" ` + key, "never closed"},
		"comma at the end":       {"alice " + w + ", " + key, "comma"},
		"comma at the start":     {"alice ," + w + " " + key, "neither an option"},
		"two commas":             {"alice " + w + `,,valid-after="20260101Z" ` + key, "neither an option"},
		"text after the quote":   {"alice " + w + "x " + key, "comma"},
		"namespaces twice":       {"alice " + w + "," + w + " " + key, "twice"},
		"valid-after twice":      {"alice " + w + `,valid-after="20260101Z",Valid-After="20260101Z" ` + key, "twice"},
		"cert-authority":         {"alice cert-authority," + w + " " + key, "cert-authority"},
		"cert-authority behind":  {"alice " + w + ",CERT-AUTHORITY " + key, "cert-authority"},
		"cert-authority for git": {`alice cert-authority,namespaces="git" ` + key, "cert-authority"},
		"cert-authority alone":   {"*@example.com cert-authority " + key, "cert-authority"},
		"cert-authority twice":   {"alice cert-authority,cert-authority " + key, "twice"},
		"cert-authority=":        {`alice cert-authority="yes" ` + key, "comma"},

		"wildcard beside":      {`alice namespaces="whittle,*" ` + key, "without wildcards"},
		"negation beside":      {`alice namespaces="whittle,!whittle" ` + key, "without wildcards"},
		"negation before":      {`alice namespaces="!git,whittle" ` + key, "without wildcards"},
		"empty beside":         {`alice namespaces="whittle," ` + key, "without wildcards"},
		"blank beside":         {`alice namespaces="whittle,a b" ` + key, "without wildcards"},
		"namespace and blank":  {`alice namespaces="git, whittle" ` + key, "write whittle"},
		"namespace upper case": {`alice namespaces="Whittle" ` + key, "write whittle"},

		"all principals":      {"* " + w + " " + key, "wildcard"},
		"principal pattern":   {"al*@example.com " + w + " " + key, "wildcard"},
		"question mark":       {"alic?@example.com " + w + " " + key, "wildcard"},
		"domain pattern":      {"*@*.example.com " + w + " " + key, "wildcard"},
		"domain of all":       {"*@* " + w + " " + key, "wildcard"},
		"no domain":           {"*@ " + w + " " + key, "follows the @"},
		"domain upper case":   {"*@Example.com " + w + " " + key, "lower case"},
		"name's domain":       {"alice@Example.com " + w + " " + key, "lower case"},
		"negated":             {"!alice@example.com " + w + " " + key, "negation"},
		"negated among":       {"*@example.com,!eve@example.com " + w + " " + key, "negation"},
		"quoted principal":    {`"alice@example.com" ` + w + " " + key, "quotes"},
		"empty principal":     {"alice,,bob " + w + " " + key, "empty"},
		"comma after":         {"alice, " + w + " " + key, "empty"},
		"not normalised":      {"zoe\u0308 " + w + " " + key, "NFC"},
		"no-break space":      {"al\u00a0ice " + w + " " + key, "white space"},
		"zero-width space":    {"al\u200bice " + w + " " + key, "control"},
		"two at":              {"a@b@c " + w + " " + key, "one @"},
		"long principal":      {strings.Repeat("x", 257) + " " + w + " " + key, "at most"},
		"principal not UTF-8": {"al\xffice " + w + " " + key, "UTF-8"},
		"comment not UTF-8":   {"alice " + w + " " + key + " \xff", "UTF-8"},
		"escape in comment":   {"alice " + w + " " + key + " \x1b[2J", "control"},
		"C1 in comment":       {"alice " + w + " " + key + " \u009b2J", "control"},
		"NUL":                 {"alice\x00 " + w + " " + key, "control"},
		"CR inside":           {"alice " + w + " " + key + "\rbob " + w + " " + key, "control"},

		"local date":       {"alice " + w + `,valid-after="20260101" ` + key, "ends in Z"},
		"local time":       {"alice " + w + `,valid-before="202601010000" ` + key, "ends in Z"},
		"small z":          {"alice " + w + `,valid-before="20260101z" ` + key, "ends in Z"},
		"offset":           {"alice " + w + `,valid-before="20260101+0100" ` + key, "ends in Z"},
		"empty time":       {"alice " + w + `,valid-before="" ` + key, "ends in Z"},
		"only Z":           {"alice " + w + `,valid-before="Z" ` + key, "not YYYYMMDD"},
		"no day":           {"alice " + w + `,valid-before="202601Z" ` + key, "not YYYYMMDD"},
		"hour only":        {"alice " + w + `,valid-before="2026010112Z" ` + key, "not YYYYMMDD"},
		"letters":          {"alice " + w + `,valid-before="2026O101Z" ` + key, "not YYYYMMDD"},
		"sign":             {"alice " + w + `,valid-before="+2026101Z" ` + key, "not YYYYMMDD"},
		"31 February":      {"alice " + w + `,valid-before="20260231Z" ` + key, "no date"},
		"month 13":         {"alice " + w + `,valid-before="20261301Z" ` + key, "no date"},
		"hour 24":          {"alice " + w + `,valid-before="202601012400Z" ` + key, "no date"},
		"second 60":        {"alice " + w + `,valid-before="20260101235960Z" ` + key, "no date"},
		"year 1":           {"alice " + w + `,valid-before="00010101Z" ` + key, "not after 1970"},
		"second 0":         {"alice " + w + `,valid-before="19700101Z" ` + key, "not after 1970"},
		"never valid":      {"alice " + w + `,valid-after="20270101Z",valid-before="20260101Z" ` + key, "later"},
		"a single instant": {"alice " + w + `,valid-after="20260101Z",valid-before="20260101Z" ` + key, "later"},

		"RSA":                 {"alice " + w + " " + blob("ssh-rsa", "\x03", "n"), `"ssh-rsa"`},
		"security key":        {"alice " + w + " " + blob("sk-ssh-ed25519@openssh.com", "k", "ssh:"), `"sk-ssh-ed25519@openssh.com"`},
		"P-384":               {"alice " + w + " " + blob("ecdsa-sha2-nistp384", "nistp384", "k"), `"ecdsa-sha2-nistp384"`},
		"certificate":         {"alice " + w + " " + blob("ssh-ed25519-cert-v01@openssh.com", "n"), `"ssh-ed25519-cert-v01@openssh.com"`},
		"small-order key":     {"alice " + w + " " + blob("ssh-ed25519", string(make([]byte, 32))), "small-order"},
		"short key":           {"alice " + w + " " + blob("ssh-ed25519", "k"), "ssh-ed25519"},
		"empty type":          {"alice " + w + " " + blob("", "k"), "no key"},
		"key cut, no options": {"alice " + keyType + " " + b64[:10], "neither an option"},
		"ignored, no key":     {`alice namespaces="git" nothing`, "no key"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, around := range []string{"", "# comment\n\nbob " + w + " " + key + "\n"} {
				r, err := Parse([]byte(around + c.line + "\n"))
				le, ok := errors.AsType[*LineError](err)
				if !ok || r != nil {
					t.Fatalf("%v, %v for %q", r, err, c.line)
				}
				if want := strings.Count(around, "\n") + 1; le.Line != want {
					t.Errorf("line %d, want %d", le.Line, want)
				}
				if !strings.Contains(err.Error(), c.want) {
					t.Errorf("error %q, want one with %q", err, c.want)
				}
				if len(err.Error()) > 2000 {
					t.Errorf("the error has %d bytes", len(err.Error()))
				}
			}
		})
	}
}

// The example of spec/trust.md reads as the page says.
func TestSpecExample(t *testing.T) {
	page, err := os.ReadFile("../../spec/trust.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```\n")
	example, _, _ := strings.Cut(rest, "```")
	entries := parse(t, example).Entries()
	if len(entries) != 2 {
		t.Fatalf("%d entries count, want 2", len(entries))
	}
	alice, ops := entries[0], entries[1]
	if !alice.Covers("alice@example.com") || alice.Covers("bob@example.com") || !alice.ValidAt(utc(t, "2100-01-01T00:00:00Z")) {
		t.Errorf("%+v", alice)
	}
	if !ops.Covers("carol@ops.example.com") || ops.Covers("carol@example.com") ||
		!ops.ValidAt(utc(t, "2027-01-01T00:00:00Z")) || ops.ValidAt(utc(t, "2027-01-01T00:00:01Z")) {
		t.Errorf("%+v", ops)
	}
}

func TestParseLimits(t *testing.T) {
	line := `alice.smith@engineering.example.com namespaces="whittle" ` + newKey(t, datalog.Ed25519, 1).Public().AuthorizedKey("") + "\n"
	full := strings.Repeat(line, MaxBytes/len(line))
	full += "#" + strings.Repeat("x", MaxBytes-len(full)-1)
	if n := len(parse(t, full).Entries()); n != MaxBytes/len(line) {
		t.Errorf("%d entries", n)
	}
	if _, err := Parse([]byte(full + "x")); err == nil || !strings.Contains(err.Error(), "bytes") {
		t.Errorf("one byte more: %v", err)
	}
	// A shorter line, so that the entries run out before the bytes do.
	short := "a " + blob("x", "") + "\n"
	many := strings.Repeat(short, MaxEntries)
	if len(many) > MaxBytes {
		t.Fatal("the lines are too long for this test")
	}
	parse(t, many+"# and a comment\n\n")
	if _, err := Parse([]byte(many + short)); err == nil || !strings.Contains(err.Error(), "entries") {
		t.Errorf("one entry more: %v", err)
	}
}

// Whatever a line says, a key without the namespace is never trusted.
func TestOnlyTheNamespaceCounts(t *testing.T) {
	key := newKey(t, datalog.Ed25519, 1).Public().AuthorizedKey("")
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringMatching(`[whitle,!*? W"\\]{0,12}`).Draw(t, "namespaces")
		r, err := Parse([]byte(`alice namespaces="` + value + `" ` + key))
		if err != nil {
			return
		}
		named := false
		for _, n := range strings.Split(value, ",") {
			named = named || n == "whittle"
		}
		if len(r.Entries()) > 0 != named {
			t.Fatalf("namespaces %q: %d entries", value, len(r.Entries()))
		}
	})
}

func FuzzParse(f *testing.F) {
	ed, p256 := newKey(f, datalog.Ed25519, 1).Public(), newKey(f, datalog.Secp256r1, 2).Public()
	seeds := []string{
		`alice@example.com namespaces="whittle" ` + ed.AuthorizedKey("laptop") + "\n",
		"\ufeff# comment\r\n\r\n*@example.com,bob namespaces=\"git,whittle\",valid-after=\"20260101Z\",valid-before=\"20270101120000Z\" " + p256.AuthorizedKey("") + "\r\n",
		"carol " + blob("ssh-rsa", "\x03", "n"),
		"dave cert-authority " + ed.AuthorizedKey(""),
		`eve namespaces="a\"b" ` + ed.AuthorizedKey(""),
	}
	if len(seeds) == 0 {
		f.Fatal("no seeds")
	}
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Parse(data)
		if (err == nil) == (r == nil) {
			t.Fatalf("%v and %v", r, err)
		}
		lines := strings.Split(string(data), "\n")
		for _, e := range r.Entries() {
			if e.Key.IsZero() || len(e.Principals) == 0 || e.Line < 1 || e.Line > len(lines) {
				t.Fatalf("%+v", e)
			}
			if line := strings.ToLower(lines[e.Line-1]); !strings.Contains(line, "namespaces=") || !strings.Contains(line, "whittle") || strings.Contains(strings.SplitN(line, e.Key.AuthorizedKey(""), 2)[0], "cert-authority,") {
				t.Fatalf("%+v counts", e)
			}
			for _, p := range e.Principals {
				if !strings.HasPrefix(p, "*@") && !e.Covers(p) || strings.HasPrefix(p, "*@") && !e.Covers("x"+p[1:]) {
					t.Fatalf("%+v does not cover %q", e, p)
				}
			}
			// Written anew, the entry reads as the same.
			again, err := Parse([]byte(strings.Join(e.Principals, ",") + ` namespaces="whittle" ` + e.Key.AuthorizedKey(e.Comment)))
			if err != nil || len(again.Entries()) != 1 {
				t.Fatalf("%+v: %v", e, err)
			}
			if a := again.Entries()[0]; a.Key != e.Key || strings.Join(a.Principals, ",") != strings.Join(e.Principals, ",") {
				t.Fatalf("%+v reads as %+v", e, a)
			}
		}
	})
}

// A post-quantum root is a line like any other, and nothing but such a line makes it
// one.
func TestMLDSARoots(t *testing.T) {
	for _, alg := range []datalog.Algorithm{datalog.MLDSA44, datalog.MLDSA65} {
		root, err := token.GenerateKey(alg)
		if err != nil {
			t.Fatal(err)
		}
		holder := newKey(t, datalog.Ed25519, 1).Public()
		minted, err := token.Mint(root, &datalog.Block{}, token.HeldBy(holder), nil)
		if err != nil {
			t.Fatal(err)
		}
		u, err := token.Parse(minted.Bytes(), nil)
		if err != nil {
			t.Fatal(err)
		}
		line := `alice@example.com namespaces="whittle" ` + root.Public().AuthorizedKey("root") + "\n"
		r := parse(t, line)
		if e := r.Entries(); len(e) != 1 || e[0].Key != root.Public() || e[0].Comment != "root" {
			t.Errorf("%+v", e)
		}
		now := utc(t, "2026-11-28T00:00:00Z")
		if v, err := r.Verify(u, now); err != nil || v.Root() != root.Public() {
			t.Errorf("%s: %v", alg, err)
		}
		if err := r.MaySpeak(root.Public(), "alice@example.com", now); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
		for name, text := range map[string]string{
			"nobody":            "",
			"git only":          strings.Replace(line, "whittle", "git", 1),
			"expired":           strings.Replace(line, `"whittle"`, `"whittle",valid-before="20260101Z"`, 1),
			"the holder's key":  `alice@example.com namespaces="whittle" ` + holder.AuthorizedKey(""),
			"another such root": `alice@example.com namespaces="whittle" ` + newKey(t, alg, 9).Public().AuthorizedKey(""),
		} {
			_, err := parse(t, text).Verify(u, now)
			if e, ok := errors.AsType[*token.Error](err); !ok || e.Code != token.CodeUntrustedRoot {
				t.Errorf("%s, %s: %v", alg, name, err)
			}
		}
	}
}
