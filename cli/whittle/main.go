// Command whittle mints, narrows, invokes, verifies and inspects capability
// tokens for agents.
package main

import (
	"os"

	"github.com/whittle-auth/whittle/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:])) }
