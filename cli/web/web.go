// Package web has the script of the page to look at a token.
//
//	go run ./cli/web/build -o page.html
//
// makes the page, one file that works without a server. Package cli/web/reader is the
// program in it, and package cli/page is what it shows. What it promises stands in
// spec/page.md.
package web

import _ "embed"

// Script is what the page runs after Go's own support for WebAssembly.
//
//go:embed page.js
var Script string
