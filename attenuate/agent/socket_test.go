package agent_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/attenuate/agent"
)

// Processes that tests start are this binary again, with a part to play.
const part = "WHITTLE_TEST_PART"

func TestMain(m *testing.M) {
	switch os.Getenv(part) {
	case "program":
		os.Exit(program(os.Args[1]))
	case "signer":
		os.Exit(signer(os.Args[1]))
	}
	os.Exit(m.Run())
}

// program asks the agent at a socket for an invocation, and says what came of it. To
// connect at all is not what is refused: the agent closes what it does not want.
func program(socket string) int {
	c, err := net.Dial("unix", socket)
	if err != nil {
		fmt.Println("no connection")
		return 1
	}
	defer c.Close()
	answer, err := exchange(c, question("invoke", `{"name":"a","request":{"operation":"rotate","resources":["payments/api"],"audience":"svc:certs"}}`))
	if err != nil {
		fmt.Println("refused")
		return 0
	}
	fmt.Println(answer)
	return 0
}

// signer is an agent, until its standard input ends.
func signer(path string) int {
	socket, err := agent.Listen(path)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	ctx, cancel := contextOfStdin()
	defer cancel()
	fmt.Println("ready")
	if err := agent.Serve(ctx, socket, agent.NewKeyring(nil), nil); err != nil {
		return 1
	}
	return 0
}

// question is an HTTP request, byte for byte.
func question(operation, body string) string {
	return fmt.Sprintf("POST /v1/%s HTTP/1.1\r\nHost: agent\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", operation, len(body), body)
}

// exchange sends bytes and returns the status and the body of the answer.
func exchange(c net.Conn, text string) (string, error) {
	go func() { _, _ = io.WriteString(c, text) }() // the answer can come before all is sent
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(resp.Body)
	return fmt.Sprint(resp.StatusCode, " ", string(body)), err
}

func ask(t *testing.T, socket, text string) string {
	t.Helper()
	c, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	answer, err := exchange(c, text)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	return answer
}

// another starts this binary as another user, in a part.
func another(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can start a process of another user")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// The folder that go test builds into is closed to others.
	dir := folder(t)
	data, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "test")
	if err := errors.Join(os.WriteFile(binary, data, 0o755), os.Chmod(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, args...)
	cmd.Env = []string{part + "=" + name, "TMPDIR=" + os.TempDir()}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534, NoSetGroups: true}}
	return cmd
}

// TestTwoProcesses: a program of the same user gets its invocation.
func TestTwoProcesses(t *testing.T) {
	w := newWorld(t)
	ring := agent.NewKeyring(&agent.Options{Roots: w.roots})
	if _, err := ring.Add("a", w.mint(time.Hour), w.key); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder(t), "s")
	serveAt(t, path, ring, nil)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, path)
	cmd.Env = append(os.Environ(), part+"=program")
	out, err := cmd.Output()
	if err != nil || !strings.HasPrefix(string(out), `200 {"token":"C`) {
		t.Errorf("%s, %v", out, err)
	}
}

// TestAnotherUser: who gets as far as the socket is still refused.
func TestAnotherUser(t *testing.T) {
	w := newWorld(t)
	ring := agent.NewKeyring(&agent.Options{Roots: w.roots})
	if _, err := ring.Add("a", w.mint(time.Hour), w.key); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder(t), "s")
	log := serveAt(t, path, ring, nil)

	cmd := another(t, "program", path)
	if out, err := cmd.Output(); err == nil || string(out) != "no connection\n" {
		t.Errorf("the folder lets others in: %s, %v", out, err)
	}
	// Somebody has opened the folder and the socket to all.
	if err := errors.Join(os.Chmod(path, 0o666), os.Chmod(filepath.Dir(path), 0o755)); err != nil {
		t.Fatal(err)
	}
	cmd = another(t, "program", path)
	if out, err := cmd.Output(); err != nil || string(out) != "refused\n" {
		t.Errorf("%s, %v", out, err)
	}
	if !strings.Contains(log.String(), "the user 65534 is at the other end") {
		t.Errorf("the log says nothing of it: %s", log)
	}
}

// TestRootIsAnotherUser: neither does root use another's agent, nor does its client
// tell another user's agent anything.
func TestRootIsAnotherUser(t *testing.T) {
	dir := folder(t)
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	home := filepath.Join(dir, "home")
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(home, "s")
	cmd := another(t, "signer", path)
	if err := os.Chown(home, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		stdin.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}()
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "ready\n" {
		t.Fatalf("%s, %v", line, err)
	}
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if answer, err := exchange(c, question("list", `{}`)); err == nil {
		t.Errorf("root was answered: %s", answer)
	}
	client, err := agent.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.AddKey(t.Context(), newKey(t)); !errors.Is(err, agent.ErrNoAgent) || !strings.Contains(err.Error(), "the user 65534 is at the other end") {
		t.Errorf("%v", err)
	}
}

// TestSocket: what Listen makes, and what it leaves alone.
func TestSocket(t *testing.T) {
	dir := filepath.Join(folder(t), "new")
	path := filepath.Join(dir, "s")
	s, err := agent.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{dir: fs.ModeDir | 0o700, path: fs.ModeSocket | 0o600} {
		if info, err := os.Lstat(name); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if _, err := agent.Listen(path); !errors.Is(err, agent.ErrRunning) {
		t.Errorf("two agents: %v", err)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is left behind: %v", err)
	}

	// What an agent that was killed leaves behind.
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	stale.Close()
	if s, err = agent.Listen(path); err != nil {
		t.Fatalf("a stale socket: %v", err)
	}
	// Another agent's socket stays when this one ends.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	other, err := agent.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("the socket of another agent is gone: %v", err)
	}
	other.Close()

	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := agent.Listen(path); err == nil {
		t.Error("a file was taken for a socket")
	}
	if data, err := os.ReadFile(path); string(data) != "mine" {
		t.Errorf("the file has changed: %v", err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if _, err := agent.Listen(link); err == nil {
		t.Error("a link was taken for a socket")
	}

	open := folder(t)
	if err := os.Chmod(open, 0o710); err != nil {
		t.Fatal(err)
	}
	if _, err := agent.Listen(filepath.Join(open, "s")); err == nil {
		t.Error("a folder that a group may enter")
	}
	if _, err := agent.Listen(filepath.Join(folder(t), strings.Repeat("x", 120))); err == nil || !strings.Contains(err.Error(), "at most 103 bytes") {
		t.Errorf("a long path: %v", err)
	}
	if os.Geteuid() == 0 {
		foreign := folder(t)
		if err := os.Chown(foreign, 65534, 65534); err != nil {
			t.Fatal(err)
		}
		if _, err := agent.Listen(filepath.Join(foreign, "s")); err == nil {
			t.Error("a folder of another user")
		}
	}
}

// TestHostile: what no program of good will sends gets its status, and no token.
func TestHostile(t *testing.T) {
	w := newWorld(t)
	ring := agent.NewKeyring(&agent.Options{Roots: w.roots})
	if _, err := ring.Add("a", w.mint(time.Hour), w.key); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder(t), "s")
	log := serveAt(t, path, ring, &agent.ServeOptions{AllowChanges: true})
	const request = `{"operation":"rotate","resources":["payments/api"],"audience":"svc:certs"}`
	if answer := ask(t, path, question("invoke", `{"name":"a","request":`+request+`}`)); !strings.HasPrefix(answer, "200 ") {
		t.Fatal(answer)
	}
	raw := func(head string) string { return head + "Host: agent\r\nContent-Length: 2\r\n\r\n{}" }
	for name, test := range map[string]struct {
		text   string
		status string
	}{
		"GET":                  {raw("GET /v1/list HTTP/1.1\r\nContent-Type: application/json\r\n"), "405"},
		"PUT":                  {raw("PUT /v1/list HTTP/1.1\r\nContent-Type: application/json\r\n"), "405"},
		"no such operation":    {question("sign", `{"message":"AAAA"}`), "404"},
		"another path":         {raw("POST //v1/list HTTP/1.1\r\nContent-Type: application/json\r\n"), "404"},
		"another type":         {raw("POST /v1/list HTTP/1.1\r\nContent-Type: text/plain\r\n"), "415"},
		"no type":              {raw("POST /v1/list HTTP/1.1\r\n"), "415"},
		"no HTTP":              {"\x00\x01\x02\r\n\r\n", "400"},
		"a large header":       {raw("POST /v1/list HTTP/1.1\r\nX-Large: " + strings.Repeat("x", 1<<20) + "\r\n"), "431"},
		"a large message":      {question("invoke", `{"name":"`+strings.Repeat("a", agent.MaxMessage)+`"}`), "413"},
		"nothing":              {question("list", ""), "400"},
		"a list":               {question("list", "[]"), "400"},
		"cut off":              {question("list", "{"), "400"},
		"two values":           {question("list", "{}{}"), "400"},
		"an unknown member":    {question("list", `{"x":1}`), "400"},
		"a name twice":         {question("invoke", `{"name":"b","name":"a","request":`+request+`}`), "400"},
		"a name in capitals":   {question("invoke", `{"Name":"a","request":`+request+`}`), "400"},
		"a name that is null":  {question("invoke", `{"name":null,"request":`+request+`}`), "400"},
		"a name that is 1":     {question("invoke", `{"name":1,"request":`+request+`}`), "400"},
		"name and token":       {question("invoke", `{"name":"a","token":"whittle:AAAA","request":`+request+`}`), "400"},
		"no request":           {question("invoke", `{"name":"a"}`), "400"},
		"operation twice":      {question("invoke", `{"name":"a","request":{"operation":"read",`+request[1:]+`}`), "400"},
		"a request's member":   {question("invoke", `{"name":"a","request":{"nonce":"00",`+request[1:]+`}`), "400"},
		"a number over 64 bit": {question("invoke", `{"name":"a","request":{"args":{"n":9223372036854775808},`+request[1:]+`}`), "400"},
		"an argument twice":    {question("invoke", `{"name":"a","request":{"args":{"n":1,"n":2},`+request[1:]+`}`), "400"},
		"half a surrogate":     {question("invoke", `{"name":"a","request":{"args":{"n":"\ud800"},`+request[1:]+`}`), "400"},
		"no UTF-8":             {question("invoke", "{\"name\":\"a\xff\",\"request\":"+request+`}`), "400"},
		"a deep argument":      {question("invoke", `{"name":"a","request":{"args":{"n":`+strings.Repeat("[", 5000)+strings.Repeat("]", 5000)+`},`+request[1:]+`}`), "400"},
		"a very deep message":  {question("invoke", strings.Repeat(`{"name":`, 100000)), "400"},
		"a long window":        {question("invoke", `{"name":"a","seconds":100000,"request":`+request+`}`), "400"},
		"a negative window":    {question("invoke", `{"name":"a","seconds":-60,"request":`+request+`}`), "400"},
		"no channel":           {question("session", `{"name":"a","audience":"svc:certs"}`), "400"},
		"a channel of zeros":   {question("session", `{"name":"a","audience":"svc:certs","channel":"tls-exporter:`+strings.Repeat("0", 64)+`"}`), "400"},
		"a secret":             {question("add", `{"secret":"`+strings.Repeat("ed25519-private/", 1000)+`"}`), "400"},
		"nothing to add":       {question("add", `{}`), "400"},
		"no approval":          {question("attach", `{"name":"a","approval":"AAAA"}`), "403"},
		"a bad approval":       {question("attach", `{"name":"a","approval":"!"}`), "403"},
		"showing none":         {question("show", `{}`), "400"},
		"showing a file":       {question("show", `{"token":"x"}`), "400"},
		"all but false":        {question("remove", `{"all":false}`), "400"},
		"all and one":          {question("remove", `{"all":true,"name":"a"}`), "400"},
		"agent without key":    {question("attenuate", `{"name":"a","agent":"agent:x"}`), "400"},
		"a caveat of nonsense": {question("attenuate", `{"name":"a","caveats":["nonsense"]}`), "400"},
		"handing on":           {question("attenuate", `{"name":"a","agent":"agent:x","key":"`+newKey(t).Public().String()+`"}`), "403"},
	} {
		answer := ask(t, path, test.text)
		if !strings.HasPrefix(answer, test.status+" ") {
			t.Errorf("%s: %.200s, want %s", name, answer, test.status)
		}
		if strings.Contains(answer, `"token"`) && !strings.HasPrefix(answer, "200") {
			t.Errorf("%s: %.200s", name, answer)
		}
		if strings.Contains(answer, "ed25519-private") {
			t.Errorf("%s: a secret comes back: %.200s", name, answer)
		}
	}
	if tokens := ring.Tokens(); len(tokens) != 1 {
		t.Errorf("the keyring has changed: %v", tokens)
	}
	if text := log.String(); strings.Contains(text, "whittle:") || strings.Contains(text, "private") || strings.Contains(text, "payments") {
		t.Errorf("the log tells too much: %s", text)
	}
}

// TestSlow: programs that send nothing, or slowly, are sent away. They hold all places
// until then, and the next is served after.
func TestSlow(t *testing.T) {
	path := filepath.Join(folder(t), "s")
	serveAt(t, path, agent.NewKeyring(nil), agent.ReceiveWithin(50*time.Millisecond))
	var wg sync.WaitGroup
	for i := range agent.MaxConnections + 8 {
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		start := []string{"", "POST /v1/list HT", question("list", strings.Repeat(" ", 100)+"{}")[:120]}[i%3]
		// On a machine that does other work it may have been sent away by now.
		if _, err := io.WriteString(c, start); err != nil && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
			t.Fatal(err)
		}
		wg.Go(func() {
			// The end comes, whatever is said before.
			if _, err := io.Copy(io.Discard, c); err != nil && !errors.Is(err, syscall.ECONNRESET) {
				t.Error(err)
			}
		})
	}
	for try := range 100 { // this test too may be slow once
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := exchange(c, question("list", "{}"))
		c.Close()
		if err == nil && strings.HasPrefix(answer, "200 ") {
			break
		}
		if try == 99 {
			t.Errorf("nobody is served after: %s, %v", answer, err)
		}
	}
	wg.Wait()
}

// TestMemory: a hundred large messages leave nothing behind.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("in short mode")
	}
	path := filepath.Join(folder(t), "s")
	serveAt(t, path, agent.NewKeyring(nil), nil)
	text := question("invoke", `{"name":"a","request":{"operation":"o","resources":["r"],"audience":"s","args":{"x":"`+strings.Repeat("x", 1<<20)+`"}}}`)
	ask(t, path, text)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range 100 {
		if answer := ask(t, path, text); !strings.HasPrefix(answer, "404 ") {
			t.Fatalf("%.100s", answer)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if after.HeapAlloc > before.HeapAlloc+8<<20 {
		t.Errorf("%d bytes before, %d after", before.HeapAlloc, after.HeapAlloc)
	}
}
