package httpauth

import "time"

// RequestOf lets the tests look at a mapping without a token.
var RequestOf = (*Mapping).request

// SetClock gives a transport another clock.
func (t *SessionTransport) SetClock(now func() time.Time) { t.now = now }
