//go:build js && wasm

// Command reader reads tokens inside a web page: it gives the page's script two functions,
// which take the fields as JSON and return the answer as JSON. cli/web/build makes the
// page, spec/page.md says what it promises.
package main

import (
	"syscall/js"
	"time"

	"github.com/whittle-auth/whittle/cli/page"
)

func main() {
	answer := func(ask bool) js.Func {
		return js.FuncOf(func(_ js.Value, args []js.Value) any {
			out, err := page.Answered(ask, []byte(args[0].String()), time.Now())
			if err != nil {
				return nil // the script has sent what it should not
			}
			return string(out)
		})
	}
	js.Global().Call("whittleReady", answer(false), answer(true))
	select {}
}
