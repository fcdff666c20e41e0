package web_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"image/png"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// A step is an action of browser/drive.mjs and its arguments.
type step []any

// A session is one document that a browser opens.
type session struct {
	Page   string `json:"page"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Dark   bool   `json:"dark"`
	Axe    bool   `json:"axe"` // the page's own policy is not in force, see drive.mjs
	Steps  []step `json:"steps"`
}

// A sight is what came of a session. Results are those of its steps.
type sight struct {
	Requests   []string          `json:"requests"`
	Complaints []string          `json:"complaints"`
	Results    []json.RawMessage `json:"results"`
}

// driveLoosely plays sessions in Chromium. The test is skipped where something is missing;
// .ci/run installs it.
func driveLoosely(t *testing.T, sessions ...session) []sight {
	t.Helper()
	if testing.Short() {
		t.Skip("short: no browser is started")
	}
	var programs []string
	for _, name := range []string{"chromium", "node"} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Skipf("%s is not installed", name)
		}
		programs = append(programs, path)
	}
	for _, name := range []string{"playwright-core", "axe-core"} {
		if _, err := os.Stat(filepath.Join("browser", "node_modules", name)); err != nil {
			t.Skipf("%s is not installed: npm ci --prefix cli/web/browser", name)
		}
	}
	for i := range sessions {
		if sessions[i].Page == "" {
			sessions[i].Page = built(t)
		}
		sessions[i].Page = (&url.URL{Scheme: "file", Path: sessions[i].Page}).String()
		if sessions[i].Width == 0 {
			sessions[i].Width = 1280
		}
	}
	input := filepath.Join(t.TempDir(), "sessions.json")
	data, err := json.Marshal(sessions)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(input, data, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(programs[1], "browser/drive.mjs", programs[0], input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	var saw []sight
	if err := json.Unmarshal(out, &saw); err != nil || len(saw) != len(sessions) {
		t.Fatalf("%d sessions, %v: %s", len(saw), err, out)
	}
	return saw
}

// drive is [driveLoosely] for pages that are to ask for nothing.
func drive(t *testing.T, sessions ...session) []sight {
	t.Helper()
	saw := driveLoosely(t, sessions...)
	for i := range saw {
		saw[i].quiet(t, sessions[i].Page)
	}
	return saw
}

// quiet demands that nothing was asked for but the page itself, and that neither the
// page nor the browser had anything to complain of.
func (s *sight) quiet(t *testing.T, page string) {
	t.Helper()
	if !slices.Equal(s.Requests, []string{page}) {
		t.Errorf("requests: %q", s.Requests)
	}
	if len(s.Complaints) > 0 {
		t.Errorf("complaints: %q", s.Complaints)
	}
}

// at reads the result of a step.
func at[T any](t *testing.T, s *sight, i int) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(s.Results[i], &v); err != nil {
		t.Fatalf("step %d: %v: %s", i, err, s.Results[i])
	}
	return v
}

// built makes the page with the command that users have, once.
func built(t *testing.T) string {
	t.Helper()
	file, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

var (
	folder    string
	buildOnce = sync.OnceValues(func() (string, error) {
		file := filepath.Join(folder, "page.html")
		out, err := exec.Command("go", "run", "./build", "-o", file).CombinedOutput()
		if err != nil {
			err = errors.New(err.Error() + ": " + string(out))
		}
		return file, err
	})
	screenshot = flag.Bool("screenshot", false, "make screenshot.png anew")
)

func TestMain(m *testing.M) {
	flag.Parse()
	var err error
	if folder, err = os.MkdirTemp("", "whittle-web-"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(folder)
	os.Exit(code)
}

// filled are the steps that put a token and a trust file into the page and wait until
// it has said what it is.
func filled(w *world, text, status string) []step {
	return []step{
		{"until", "#status", "Paste a token"},
		{"fill", "#trust", w.trust},
		{"fill", "#token", text},
		{"until", "#status", status},
	}
}

// asking are the steps that ask for an operation and wait for an answer.
func asking(operation, verdict string) []step {
	return []step{
		{"fill", "#operation", operation},
		{"fill", "#audience", "svc:certs"},
		{"fill", "#resources", "payments/certs/api"},
		{"fill", "#args", "days=30"},
		{"click", "#ask button[type=submit]"},
		{"until", "#verdict", verdict},
	}
}

// TestPasteReadSimulate: a token is pasted, its chain is read, and a request is denied
// by the hop that denies it.
func TestPasteReadSimulate(t *testing.T) {
	w := newWorld(t)
	steps := filled(w, w.held, "Held token of 2 blocks. Verified: all signatures, from a trusted root key.")
	n := len(steps)
	steps = append(steps,
		step{"text", "#reading h2"},
		step{"text", "#reading .signatures"},
		step{"text", "#reading table tbody"},
		step{"eval", `[...document.querySelectorAll("#reading .drawing text")].map((t) => t.textContent)`},
		step{"eval", `[...document.querySelectorAll("#operations option")].map((o) => o.value)`})
	steps = append(steps, asking("delete", "Denied: check_failed.")...)
	m := len(steps)
	steps = append(steps,
		step{"text", "#verdict"},
		step{"text", "#answer .reasons li"},
		step{"eval", `[...document.querySelectorAll("#answer .bound.refuses")].map((t) => t.textContent)`})
	steps = append(steps, asking("rotate", "Nothing speaks against it.")...)
	steps = append(steps, step{"fill", "#at", "yesterday"}, step{"click", "#ask button[type=submit]"}, step{"until", "#verdict", "1 field cannot be read."},
		step{"focused"}, step{"attribute", "#at", "aria-invalid"}, step{"text", "#at-error"},
		step{"click", "#clear"}, step{"until", "#status", "Paste a token"}, step{"value", "#token"}, step{"value", "#trust"}, step{"value", "#operation"}, step{"count", "#reading > *"}, step{"focused"},
		step{"eval", `[localStorage.length, sessionStorage.length, location.hash, location.search, history.length]`})
	saw := &drive(t, session{Steps: steps})[0]

	if got := at[[]string](t, saw, n); !slices.Equal(got, []string{"A held token", "What it allows", "Block by block", "What is verified", "Size"}) {
		t.Errorf("headings: %q", got)
	}
	contains(t, at[[]string](t, saw, n+1)[0], "verified", "Block 0", "by the root key", w.root, "alice@example.com as the trust file says", "by the key that block 0 names")
	contains(t, at[[]string](t, saw, n+2)[0], "resource payments/certs/api", "block 1, agent:ci", "block 0, alice@example.com", "arg days 1..90")
	contains(t, strings.Join(at[[]string](t, saw, n+3), "\n"), "alice@example.com", "agent:ci", "resource payments/certs/**", "agent:runner-7", "operation rotate")
	if got := at[[]string](t, saw, n+4); !slices.Equal(got, []string{"rotate"}) {
		t.Errorf("operations to choose from: %q", got)
	}
	contains(t, at[[]string](t, saw, m)[0], "2 reasons. First: block 0, by alice@example.com: operation \"delete\", allowed: rotate or read")
	reasons := at[[]string](t, saw, m+1)
	if len(reasons) != 2 {
		t.Fatalf("reasons: %q", reasons)
	}
	contains(t, reasons[1], "block 1, by agent:ci", `operation "delete"`, "Allowed", "rotate", `check all operation($o), ["rotate"].contains($o)`)
	if got := at[[]string](t, saw, m+2); !slices.Equal(got, []string{"✗ operation rotate or read", "✗ operation rotate"}) {
		t.Errorf("marked in the picture: %q", got)
	}
	end := saw.Results[len(saw.Results)-11:]
	want := []string{`"at"`, `"true"`, `["This is no time such as 2026-01-31T12:00:00Z."]`, `null`, `true`, `""`, `""`, `""`, `0`, `"token"`, `[0,0,"","",2]`}
	for i := range want {
		if string(end[i]) != want[i] && !(i == 10 && string(end[i]) == `[0,0,"","",1]`) {
			t.Errorf("at the end, %d: %s, want %s", i, end[i], want[i])
		}
	}
}

func contains(t *testing.T, shown string, pieces ...string) {
	t.Helper()
	for _, p := range pieces {
		if !strings.Contains(shown, p) {
			t.Errorf("want %q in %q", p, shown)
		}
	}
}

// TestOtherForms: presented, bearer, plain, without trust, changed.
func TestOtherForms(t *testing.T) {
	w := newWorld(t)
	file := filepath.Join(t.TempDir(), "trust")
	if err := os.WriteFile(file, []byte(w.trust), 0o600); err != nil {
		t.Fatal(err)
	}
	steps := []step{{"until", "#status", "Paste a token"}}
	for _, c := range [][2]string{
		{w.held, "Held token of 2 blocks. Verified: all signatures but the first: who minted the token is a claim."},
		{w.presented, "Presented token of 3 blocks."},
		{"Authorization: Bearer " + w.presented, "Presented token of 3 blocks."},
		{w.bearer, "Bearer token of 1 block."},
		{w.plain, "Plain Biscuit of 1 block."},
		{strings.TrimPrefix(w.held, "whittle:"), "Held token of 2 blocks."},
		{w.changed, "Token that does not verify"},
		{"nonsense", "This is no token that can be read: malformed:"},
	} {
		steps = append(steps, step{"fill", "#token", c[0]}, step{"until", "#status", c[1]})
	}
	steps = append(steps, step{"fill", "#token", w.held}, step{"file", "#trust-file", file}, step{"until", "#status", "Verified: all signatures, from a trusted root key."})
	long := filepath.Join(t.TempDir(), "long")
	if err := os.WriteFile(long, bytes.Repeat([]byte("# nobody\n"), 1<<17), 0o600); err != nil {
		t.Fatal(err)
	}
	steps = append(steps, step{"file", "#trust-file", long}, step{"until", "#trust-error", "longer than 1 MiB"}, step{"value", "#trust"}, step{"until", "#status", "who minted the token is a claim"})
	drive(t, session{Steps: steps})
}

// TestReport: what inspect --html writes opens under its own policy, which lets its style
// in and asks for nothing.
func TestReport(t *testing.T) {
	w := newWorld(t)
	report := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(report, []byte(w.report), 0o600); err != nil {
		t.Fatal(err)
	}
	saw := &drive(t, session{Page: report, Steps: []step{{"text", "h2"}, {"eval", `getComputedStyle(document.body).margin`}, {"count", "script"}, {"count", "svg.drawing"}}})[0]
	if got := at[[]string](t, saw, 0); got[0] != "A held token" {
		t.Errorf("headings: %q", got)
	}
	for i, want := range []string{`"0px"`, "0", "1"} {
		if got := string(saw.Results[i+1]); got != want {
			t.Errorf("%d: %s, want %s", i, got, want)
		}
	}
}

// TestHostileTokenStaysText: whatever names and checks say, no element comes of it, and
// nothing turns or hides text.
func TestHostileTokenStaysText(t *testing.T) {
	w := newWorld(t)
	elements := `[document.querySelectorAll("img, iframe, a[href^=javascript], #reading script, #answer script, #reading [onerror], #reading form").length, document.scripts.length]`
	hidden := `/[\u202a-\u202e\u2066-\u2069\u200b-\u200f\ufeff]/.test(document.body.textContent)`
	steps := filled(w, w.hostile, "Held token of 1 block.")
	n := len(steps)
	steps = append(steps, step{"text", "#reading"}, step{"eval", elements}, step{"eval", hidden})
	steps = append(steps, asking("delete", "Denied: check_failed.")...)
	m := len(steps)
	steps = append(steps, step{"text", "#answer"}, step{"eval", elements}, step{"eval", hidden})
	steps = append(steps, step{"fill", "#token", w.turning}, step{"until", "#status", "Plain Biscuit of 1 block"})
	o := len(steps)
	steps = append(steps, step{"eval", `document.querySelector("#reading pre").textContent`}, step{"eval", elements}, step{"eval", hidden})
	saw := &drive(t, session{Steps: steps})[0]
	for _, i := range []int{n, m} {
		contains(t, at[[]string](t, saw, i)[0], `<img src=x onerror=alert(1)>`)
	}
	contains(t, at[string](t, saw, o), "invoice\ufffdgnp.exe", "<script>alert(1)</script>")
	for _, i := range []int{n, m, o} {
		if got := string(saw.Results[i+1]); got != "[0,1]" {
			t.Errorf("elements: %s", got)
		}
		if at[bool](t, saw, i+2) {
			t.Error("hidden characters reach the page")
		}
	}
}

// TestPolicyHolds: not even a script that got in could send, load, evaluate or make
// markup. What it tries to reach is there, and would answer anybody.
func TestPolicyHolds(t *testing.T) {
	w := newWorld(t)
	var asked atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		out.Header().Set("Access-Control-Allow-Origin", "*")
		out.Header().Set("Content-Type", "image/gif")
		out.Write([]byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"))
	}))
	defer elsewhere.Close()
	steps := filled(w, w.held, "Held token")
	n := len(steps)
	for _, attempt := range []string{
		`fetch("` + elsewhere.URL + `").then(() => "sent", () => "refused")`,
		`fetch("data:text/plain,x").then(() => "sent", () => "refused")`,
		`new Promise((r) => { const i = new Image(); i.onload = () => r("sent"); i.onerror = () => r("refused"); i.src = "` + elsewhere.URL + `/x.gif"; })`,
		`(() => { try { document.querySelector("#answer").innerHTML = "<b>x</b>"; return "made"; } catch { return "refused"; } })()`,
		`new Promise((r) => setTimeout(() => { try { eval("1"); r("run"); } catch { r("refused"); } }))`,
		`(() => { const s = document.createElement("script"); try { s.text = "globalThis.got = 1"; } catch { return "refused"; } document.body.append(s); return globalThis.got ? "run" : "refused"; })()`,
	} {
		steps = append(steps, step{"eval", attempt})
	}
	saw := &driveLoosely(t, session{Steps: steps})[0]
	for i := range len(steps) - n {
		if got := at[string](t, saw, n+i); got != "refused" {
			t.Errorf("%s: %s", steps[n+i][1], got)
		}
	}
	if asked.Load() > 0 {
		t.Errorf("%d requests went out", asked.Load())
	}
}

// TestKeyboard: the fields come in the order of reading, focus can be seen, and what is
// read aloud says what has changed.
func TestKeyboard(t *testing.T) {
	w := newWorld(t)
	steps := []step{{"until", "#status", "Paste a token"}}
	var want []string
	tab := func(ids ...string) {
		for _, id := range ids {
			steps = append(steps, step{"press", "Tab"}, step{"eval", `[document.activeElement.id || document.activeElement.textContent, getComputedStyle(document.activeElement).outlineStyle !== "none"]`})
			want = append(want, id)
		}
	}
	tab("Skip to what the token says", "token")
	steps = append(steps, step{"fill", "#token", w.held}, step{"until", "#status", "Held token"})
	tab("trust", "trust-file", "Read", "clear")
	tab("Datalog of block 0", "Datalog of block 1", "operation", "audience", "resources", "args", "at", "What the service knows", "Simulate")
	steps = append(steps, step{"press", "Enter"}, step{"until", "#verdict", "3 fields cannot be read."}, step{"focused"},
		step{"attribute", "#status", "role"}, step{"attribute", "#verdict", "role"})
	saw := &drive(t, session{Steps: steps})[0]
	i := 0
	for n, s := range steps {
		if s[0] != "eval" {
			continue
		}
		got := at[[]any](t, saw, n)
		if got[0] != want[i] || got[1] != true {
			t.Errorf("tab stop %d is %v, want %q with a visible focus", i, got, want[i])
		}
		i++
	}
	end := saw.Results[len(saw.Results)-3:]
	for i, want := range []string{`"operation"`, `"status"`, `"status"`} {
		if string(end[i]) != want {
			t.Errorf("%s, want %s", end[i], want)
		}
	}
}

// TestAccessible: axe finds nothing, in light and dark, on a wide screen and a narrow
// one, in each state of the page and in a report; and nothing is wider than the window.
func TestAccessible(t *testing.T) {
	w := newWorld(t)
	report := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(report, []byte(w.report), 0o600); err != nil {
		t.Fatal(err)
	}
	var sessions []session
	for _, dark := range []bool{false, true} {
		for _, width := range []int{1280, 320} {
			check := []step{{"axe"}, {"wide"}}
			steps := slices.Concat([]step{{"until", "#status", "Paste a token"}}, check,
				[]step{{"fill", "#token", w.held}, {"until", "#status", "Held"}}, check, // a claim, so far
				filled(w, w.presented, "Presented")[1:], asking("delete", "Denied"),
				[]step{{"eval", `document.querySelectorAll("details").forEach((d) => { d.open = true; })`}}, check,
				[]step{{"fill", "#token", w.hostile}, {"until", "#status", "Held"}}, check,
				[]step{{"fill", "#token", w.changed}, {"until", "#status", "does not verify"}}, check)
			sessions = append(sessions,
				session{Width: width, Height: 800, Dark: dark, Axe: true, Steps: steps},
				session{Page: report, Width: width, Height: 800, Dark: dark, Axe: true, Steps: check})
		}
	}
	saw := drive(t, sessions...)
	for i := range saw {
		checks := 0
		for n, s := range sessions[i].Steps {
			switch s[0] {
			case "axe":
				found := at[struct {
					Passes     int      `json:"passes"`
					Violations []string `json:"violations"`
				}](t, &saw[i], n)
				if found.Passes < 10 || len(found.Violations) > 0 {
					t.Errorf("dark %v, %d wide, step %d: %d rules pass, violations: %s", sessions[i].Dark, sessions[i].Width, n, found.Passes, strings.Join(found.Violations, "\n"))
				}
				checks++
			case "wide":
				if more := at[int](t, &saw[i], n); more > 0 {
					t.Errorf("dark %v, %d wide, step %d: the page is %d pixels wider", sessions[i].Dark, sessions[i].Width, n, more)
				}
			}
		}
		if checks == 0 {
			t.Error("nothing was checked")
		}
	}
}

// TestScreenshot: the picture in the README is small. With -screenshot it is made anew:
//
//	go test ./cli/web -run TestScreenshot -screenshot
func TestScreenshot(t *testing.T) {
	const file = "screenshot.png"
	if *screenshot {
		w := newWorld(t)
		path, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		steps := append(filled(w, w.held, "Held token"), step{"eval", `document.activeElement.blur(); document.querySelector("#token").scrollTop = 0`},
			step{"shot", path, map[string]any{"clip": map[string]int{"x": 40, "y": 0, "width": 1200, "height": 1000}}})
		drive(t, session{Width: 1280, Height: 1200, Steps: steps})
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil || picture.Width < 800 || len(data) > 200<<10 {
		t.Errorf("%d pixels wide, %d bytes, %v", picture.Width, len(data), err)
	}
}
