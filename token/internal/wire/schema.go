package wire

// A shape says how often a field may stand in its message.
type shape uint8

const (
	absent   shape = iota // no such field
	optional              // at most once
	required              // exactly once
	repeated              // any number of times, without a gap
)

// A wireType is one of the two encodings that the schema uses, numbered as in
// the protobuf encoding.
type wireType uint8

const (
	varint wireType = 0
	length wireType = 2
)

// A field is one field of a message.
type field struct {
	name  string
	shape shape
	wire  wireType
}

// A message describes one message of schema.proto. The fields stand at their
// numbers.
type message struct {
	fields [11]field
	oneof  bool // exactly one of the fields
	empty  bool // with oneof: or none
	needs  uint16
}

// define completes the description of a message.
func define(m message) *message {
	for n, f := range m.fields {
		if f.shape == required {
			m.needs |= 1 << n
		}
	}
	return &m
}

var (
	msgBiscuit = define(message{fields: [11]field{
		1: {"rootKeyId", optional, varint},
		2: {"authority", required, length},
		3: {"blocks", repeated, length},
		4: {"proof", required, length},
	}})
	msgSignedBlock = define(message{fields: [11]field{
		1: {"block", required, length},
		2: {"nextKey", required, length},
		3: {"signature", required, length},
		4: {"externalSignature", optional, length},
		5: {"version", optional, varint},
	}})
	msgExternalSignature = define(message{fields: [11]field{
		1: {"signature", required, length},
		2: {"publicKey", required, length},
	}})
	msgPublicKey = define(message{fields: [11]field{
		1: {"algorithm", required, varint},
		2: {"key", required, length},
	}})
	msgProof = define(message{oneof: true, empty: true, fields: [11]field{
		1: {"nextSecret", optional, length},
		2: {"finalSignature", optional, length},
	}})
	msgBlock = define(message{fields: [11]field{
		1: {"symbols", repeated, length},
		2: {"context", optional, length},
		3: {"version", optional, varint},
		4: {"facts", repeated, length},
		5: {"rules", repeated, length},
		6: {"checks", repeated, length},
		7: {"scope", repeated, length},
		8: {"publicKeys", repeated, length},
	}})
	msgScope = define(message{oneof: true, fields: [11]field{
		1: {"scopeType", optional, varint},
		2: {"publicKey", optional, varint},
	}})
	msgFact = define(message{fields: [11]field{
		1: {"predicate", required, length},
	}})
	msgRule = define(message{fields: [11]field{
		1: {"head", required, length},
		2: {"body", repeated, length},
		3: {"expressions", repeated, length},
		4: {"scope", repeated, length},
	}})
	msgCheck = define(message{fields: [11]field{
		1: {"queries", repeated, length},
		2: {"kind", optional, varint},
	}})
	msgPredicate = define(message{fields: [11]field{
		1: {"name", required, varint},
		2: {"terms", repeated, length},
	}})
	msgTerm = define(message{oneof: true, fields: [11]field{
		1:  {"variable", optional, varint},
		2:  {"integer", optional, varint},
		3:  {"string", optional, varint},
		4:  {"date", optional, varint},
		5:  {"bytes", optional, length},
		6:  {"bool", optional, varint},
		7:  {"set", optional, length},
		8:  {"null", optional, length},
		9:  {"array", optional, length},
		10: {"map", optional, length},
	}})
	msgTermSet = define(message{fields: [11]field{
		1: {"set", repeated, length},
	}})
	msgArray = define(message{fields: [11]field{
		1: {"array", repeated, length},
	}})
	msgMap = define(message{fields: [11]field{
		1: {"entries", repeated, length},
	}})
	msgMapEntry = define(message{fields: [11]field{
		1: {"key", required, length},
		2: {"value", required, length},
	}})
	msgMapKey = define(message{oneof: true, fields: [11]field{
		1: {"integer", optional, varint},
		2: {"string", optional, varint},
	}})
	msgExpression = define(message{fields: [11]field{
		1: {"ops", repeated, length},
	}})
	msgOp = define(message{oneof: true, fields: [11]field{
		1: {"value", optional, length},
		2: {"unary", optional, length},
		3: {"Binary", optional, length},
		4: {"closure", optional, length},
	}})
	msgOperator = define(message{fields: [11]field{ // OpUnary and OpBinary
		1: {"kind", required, varint},
		2: {"ffiName", optional, varint},
	}})
	msgClosure = define(message{fields: [11]field{
		1: {"params", repeated, varint},
		2: {"ops", repeated, length},
	}})
	msgPolicy = define(message{fields: [11]field{
		1: {"queries", repeated, length},
		2: {"kind", required, varint},
	}})
	msgPolicies = define(message{fields: [11]field{ // AuthorizerPolicies
		1: {"symbols", repeated, length},
		2: {"version", optional, varint},
		3: {"facts", repeated, length},
		4: {"rules", repeated, length},
		5: {"checks", repeated, length},
		6: {"policies", repeated, length},
	}})
	msgThirdPartyRequest = define(message{fields: [11]field{
		1: {"legacyPreviousKey", optional, length},
		2: {"legacyPublicKeys", repeated, length},
		3: {"previousSignature", required, length},
	}})
	msgThirdPartyContents = define(message{fields: [11]field{
		1: {"payload", required, length},
		2: {"externalSignature", required, length},
	}})
	msgSnapshot = define(message{fields: [11]field{ // AuthorizerSnapshot
		1: {"limits", required, length},
		2: {"executionTime", required, varint},
		3: {"world", required, length},
	}})
	msgRunLimits = define(message{fields: [11]field{
		1: {"maxFacts", required, varint},
		2: {"maxIterations", required, varint},
		3: {"maxTime", required, varint},
	}})
	msgWorld = define(message{fields: [11]field{ // AuthorizerWorld
		1: {"version", optional, varint},
		2: {"symbols", repeated, length},
		3: {"publicKeys", repeated, length},
		4: {"blocks", repeated, length},
		5: {"authorizerBlock", required, length},
		6: {"authorizerPolicies", repeated, length},
		7: {"generatedFacts", repeated, length},
		8: {"iterations", required, varint},
	}})
	msgOrigin = define(message{oneof: true, fields: [11]field{
		1: {"authorizer", optional, length},
		2: {"origin", optional, varint},
	}})
	msgEmpty          = define(message{})
	msgGeneratedFacts = define(message{fields: [11]field{
		1: {"origins", repeated, length},
		2: {"facts", repeated, length},
	}})
	msgSnapshotBlock = define(message{fields: [11]field{
		1: {"context", optional, length},
		2: {"version", optional, varint},
		3: {"facts", repeated, length},
		4: {"rules", repeated, length},
		5: {"checks", repeated, length},
		6: {"scope", repeated, length},
		7: {"externalKey", optional, length},
	}})
)
