package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// Limits on a configuration.
const (
	maxConfig = 1 << 20
	maxRoutes = 1000
)

// config is the file, key by key: see spec/gateway.md.
type config struct {
	Audience   string `toml:"audience"`
	Trust      string `toml:"trust"`
	Directory  string `toml:"directory"`
	Policy     string `toml:"policy"`
	PolicyFile string `toml:"policy_file"`

	Proxy   string   `toml:"proxy"`
	Trusted []string `toml:"trusted_proxies"`
	Hosts   []string `toml:"hosts"`

	ReplayFile string   `toml:"replay_file"`
	Revoked    []string `toml:"revoked"`
	MaxStale   duration `toml:"max_stale"`

	TokenFacts []string `toml:"token_facts"`

	AllowBearer          bool `toml:"allow_bearer"`
	AllowApproverInChain bool `toml:"allow_approver_in_chain"`
	AllowApprovalReuse   bool `toml:"allow_approval_reuse"`

	Limits limits  `toml:"limits"`
	Server server  `toml:"server"`
	Routes []route `toml:"route"`
}

// limits are those of [verify.Options]; zero means the default.
type limits struct {
	MaxTTL     duration `toml:"max_ttl"`
	MaxWindow  duration `toml:"max_window"`
	MaxDepth   int      `toml:"max_depth"`
	MaxBlocks  int      `toml:"max_blocks"`
	Facts      int      `toml:"facts"`
	Iterations int      `toml:"iterations"`
	Steps      int      `toml:"steps"`
	Memory     int      `toml:"memory"`
	Replays    int      `toml:"replays"`
}

// server says where a gateway that runs by itself listens.
type server struct {
	Listen string `toml:"listen"`
	Admin  string `toml:"admin"`

	AllowRemote bool `toml:"allow_remote"`
}

type route struct {
	Match         string   `toml:"match"`
	Operation     string   `toml:"operation"`
	Resource      string   `toml:"resource"`
	Query         []string `toml:"query"`
	QueryIntegers []string `toml:"query_integers"`
	Fields        []string `toml:"fields"`
	Body          string   `toml:"body"`
}

// duration is a positive span of time such as 90s or 24h.
type duration struct{ time.Duration }

func (d *duration) UnmarshalText(text []byte) (err error) {
	if d.Duration, err = time.ParseDuration(string(text)); err == nil && d.Duration <= 0 {
		err = errors.New("a duration is more than nothing")
	}
	return err
}

// A ConfigError is what is wrong with a configuration, and where.
type ConfigError struct {
	File string
	Line int // from 1
	Err  error
}

func (e *ConfigError) Error() string {
	return fmt.Sprintf("%s: line %d: %s", e.File, e.Line, e.Err)
}

// Unwrap returns what is wrong with the line.
func (e *ConfigError) Unwrap() error { return e.Err }

// A source is a configuration that has been read, and where each of its keys stands.
type source struct {
	path  string
	data  []byte
	lines lines
	config
}

// wrong is an error about a key, such as "limits", "max_ttl" or "route", 2, "match".
func (s *source) wrong(err error, key ...any) error {
	return &ConfigError{s.path, s.lines.of(key...), err}
}

func (s *source) wrongf(key, format string, args ...any) error {
	return s.wrong(fmt.Errorf(format, args...), key)
}

// file returns the path of a file that the configuration names, which is relative to the
// folder of the configuration.
func (s *source) file(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(s.path), name)
}

// readSource reads a configuration's file.
func readSource(path string) (*source, error) {
	data, err := readSmall(path, maxConfig)
	if err != nil {
		return nil, err
	}
	return parseSource(path, data)
}

// readSmall reads a regular file of a bounded size.
func readSmall(path string, most int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // nor does reading wait for somebody to write
		return nil, fmt.Errorf("%s is no regular file", path)
	}
	if info.Size() > most {
		return nil, fmt.Errorf("%s has more than %d bytes", path, most)
	}
	return os.ReadFile(path)
}

func parseSource(path string, data []byte) (*source, error) {
	s := &source{path: path, data: data}
	decoder := toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields()
	if err := decoder.Decode(&s.config); err != nil {
		return nil, s.syntax(err)
	}
	var err error
	if s.lines, err = findLines(data); err != nil {
		return nil, s.syntax(err)
	}
	return s, nil
}

// syntax puts an error of the reader into our words.
func (s *source) syntax(err error) error {
	if e, ok := errors.AsType[*toml.StrictMissingError](err); ok {
		line, _ := e.Errors[0].Position()
		return &ConfigError{s.path, line, fmt.Errorf("there is no key %q", dotted(e.Errors[0].Key()))}
	}
	if e, ok := errors.AsType[*toml.DecodeError](err); ok {
		line, _ := e.Position()
		return &ConfigError{s.path, line, errors.New(e.Error())}
	}
	if e, ok := errors.AsType[*lineError](err); ok {
		return &ConfigError{s.path, e.line, e.err}
	}
	return &ConfigError{s.path, 1, err}
}
