// Command generate writes the test vectors of package vectors.
//
//	go run ./vectors/generate [-o vectors]
//
// It builds each token from its own protobuf, Datalog and CBOR writers and
// imports nothing of this module, so that a fault of the implementation cannot
// hide in the vectors. Keys come from fixed names, times are fixed and all
// signatures are deterministic: each run writes the same bytes.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	dir := flag.String("o", "vectors", "directory to write to")
	flag.Parse()
	if err := write(*dir); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func write(dir string) error {
	all, err := files()
	if err != nil {
		return err
	}
	for name, content := range all {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// files returns the content of each vector file.
func files() (map[string][]byte, error) {
	out := map[string][]byte{}
	for name, cases := range map[string]any{
		"wire.json":       wireCases(),
		"delegation.json": delegationCases(),
		"digest.json":     digestCases(),
		"mldsa.json":      mldsaCases(),
		"state.json":      stateCases(),
	} {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(cases); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out[name] = b.Bytes()
		rendered, err := asCBOR(name, b.Bytes())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out[strings.TrimSuffix(name, ".json")+".cbor"] = rendered
	}
	return out, nil
}
