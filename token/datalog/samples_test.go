package datalog

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sampleText is everything in the official samples that is source text.
type sampleText struct {
	name string
	kind string // block, authorizer, fact, rule, check or policy
	code string
}

// sharedData returns the folder of public test data: WHITTLE_SHARED_DATA, or
// shared/data beside the repository.
func sharedData(t testing.TB) string {
	if dir := os.Getenv("WHITTLE_SHARED_DATA"); dir != "" {
		return dir
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "..", "shared", "data")
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = parent
	}
}

// readSamples returns the texts of the official Biscuit samples, or nil when the
// samples are not there.
func readSamples(t testing.TB) []sampleText {
	file := filepath.Join(sharedData(t), "biscuit-samples", "samples.json")
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	var samples struct {
		Testcases []struct {
			Filename string
			Token    []struct{ Code string }

			Validations map[string]struct {
				AuthorizerCode string `json:"authorizer_code"`
				World          *struct {
					Facts    []struct{ Facts []string }
					Rules    []struct{ Rules []string }
					Checks   []struct{ Checks []string }
					Policies []string
				}
			}
		}
	}
	if err := json.Unmarshal(data, &samples); err != nil {
		t.Fatal(err)
	}
	var texts []sampleText
	for _, c := range samples.Testcases {
		add := func(kind string, codes ...string) {
			for _, code := range codes {
				texts = append(texts, sampleText{c.Filename, kind, code})
			}
		}
		for _, block := range c.Token {
			add("block", block.Code)
		}
		for _, v := range c.Validations {
			add("authorizer", v.AuthorizerCode)
			if v.World == nil {
				continue
			}
			for _, x := range v.World.Facts {
				add("fact", x.Facts...)
			}
			for _, x := range v.World.Rules {
				add("rule", x.Rules...)
			}
			for _, x := range v.World.Checks {
				add("check", x.Checks...)
			}
			add("policy", v.World.Policies...)
		}
	}
	kinds := map[string]int{}
	for _, text := range texts {
		kinds[text.kind]++
	}
	for _, kind := range []string{"block", "authorizer", "fact", "rule", "check", "policy"} {
		if kinds[kind] == 0 {
			t.Fatalf("%s holds no %s", file, kind)
		}
	}
	return texts
}

func TestSamplesPrintAsTheyAreWritten(t *testing.T) {
	texts := readSamples(t)
	if texts == nil {
		t.Skip("biscuit-samples/samples.json is not there")
	}
	refused := 0
	for _, text := range texts {
		got, err := reprint(text.kind, text.code)
		if strings.Contains(text.code, "$unbound") {
			// Sample 18 is a token that no one may write: it must be refused.
			refused++
			if err == nil || !strings.Contains(err.Error(), "'$unbound'") {
				t.Errorf("%s: unbound variable of a head: error %v", text.name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v in %s\n%s", text.name, err, text.kind, text.code)
		} else if got != text.code {
			t.Errorf("%s: %s prints as\n%s\nwant\n%s", text.name, text.kind, got, text.code)
		}
	}
	if refused == 0 {
		t.Error("the sample with an unbound variable is missing")
	}
}

// reprint parses text of the given kind and prints it.
func reprint(kind, code string) (string, error) {
	switch kind {
	case "block":
		b, err := ParseBlock(code, nil)
		if err != nil {
			return "", err
		}
		return b.String(), nil
	case "authorizer":
		a, err := ParseAuthorizer(code, nil)
		if err != nil {
			return "", err
		}
		return a.String(), nil
	case "fact":
		f, err := ParseFact(code, nil)
		return f.String(), err
	case "rule":
		r, err := ParseRule(code, nil)
		return r.String(), err
	case "check":
		c, err := ParseCheck(code, nil)
		return c.String(), err
	case "policy":
		p, err := ParsePolicy(code, nil)
		return p.String(), err
	case "term":
		t, err := ParseTerm(code, nil)
		if err != nil {
			return "", err
		}
		return string(appendTerm(nil, t)), nil
	}
	return "", errors.New("unknown kind " + kind)
}
