package httpauth

// RequestOf lets the tests look at a mapping without a token.
var RequestOf = (*Mapping).request
