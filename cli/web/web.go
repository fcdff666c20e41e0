// Package web has the script of the page to look at a token: cli/web/build makes the
// page, cli/web/reader is the program in it, and package page is what both show.
package web

import _ "embed"

// Script is what the page runs after Go's own support for WebAssembly.
//
//go:embed page.js
var Script string
