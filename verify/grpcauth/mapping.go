package grpcauth

import (
	"crypto/sha256"
	"fmt"
	"math"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/whittle-auth/whittle/token/delegation"
)

// A Method says what the calls of one method ask for.
type Method struct {
	// Name is the full name, as in "/payments.v1.Certs/Rotate".
	Name string

	// Operation is what is asked for; empty means the method's own name.
	Operation string

	// Resource is what it is asked of, as in "payments/certs/{name}"; empty means the
	// service's full name. {name} stands for the string in the field of that name of the
	// message, as one segment, {name...} at the end for one segment or more.
	Resource string

	// Fields names the fields of the message that become arguments, so that caveats see
	// them: integers, booleans and strings that are not repeated. One that is not set is
	// the argument with its default value where the schema does not tell the two apart,
	// and no argument where it does. An integer beyond 63 bits is refused.
	Fields []string

	// AllowUnbound decides on the method alone, before any message is there: whoever
	// has the invocation can send any, and no caveat sees into them. It is the only way
	// for an invocation to open a stream of the client's messages.
	AllowUnbound bool
}

// A Mapping says what each call asks for. A service and its agents must use the same
// one. The zero value and nil map every call as the package's documentation says. A
// Mapping never changes.
type Mapping struct{ methods map[string]*method }

// method is a Method whose names have been found in the schema.
type method struct {
	Method
	input    protoreflect.MessageType
	fields   []protoreflect.FieldDescriptor
	resource []segment
}

// segment is one of a resource: the text itself, or the field that has it.
type segment struct {
	text  string
	field protoreflect.FieldDescriptor
	many  bool
}

// NewMapping returns the mapping of the given methods. A call of any other is refused.
// Where fields are named, the service's schema must be linked in, as it is wherever its
// generated code is imported.
func NewMapping(methods ...Method) (*Mapping, error) {
	if len(methods) == 0 {
		return nil, fmt.Errorf("a mapping without methods refuses every call: use nil for the one that needs none")
	}
	m := &Mapping{methods: map[string]*method{}}
	for _, one := range methods {
		compiled, err := compile(one)
		if err == nil && m.methods[one.Name] != nil {
			err = fmt.Errorf("it is there twice")
		}
		if err != nil {
			return nil, fmt.Errorf("method %q: %w", one.Name, err)
		}
		m.methods[one.Name] = compiled
	}
	return m, nil
}

// split takes a full name apart.
func split(name string) (service, method string, err error) {
	rest, ok := strings.CutPrefix(name, "/")
	i := strings.LastIndex(rest, "/")
	if !ok || i <= 0 || i == len(rest)-1 {
		return "", "", fmt.Errorf("a full name is that of the service and the method, as in %q", "/payments.v1.Certs/Rotate")
	}
	return rest[:i], rest[i+1:], nil
}

func compile(m Method) (*method, error) {
	service, name, err := split(m.Name)
	if err != nil {
		return nil, err
	}
	c := &method{Method: m}
	if c.Operation == "" {
		c.Operation = name
	}
	if err := delegation.ValidName(c.Operation); err != nil {
		return nil, fmt.Errorf("operation %q: %w", c.Operation, err)
	}
	if m.Resource == "" {
		c.resource = []segment{{text: service}}
	} else if err := c.template(); err != nil {
		return nil, err
	}
	for _, name := range m.Fields {
		field, err := c.field(name)
		if err != nil {
			return nil, err
		}
		switch field.Kind() {
		case protoreflect.StringKind, protoreflect.BoolKind,
			protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind,
			protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind,
			protoreflect.Uint32Kind, protoreflect.Fixed32Kind, protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		default:
			return nil, fmt.Errorf("the field %q is no integer, boolean or string", name)
		}
		if slices.Contains(c.fields, field) {
			return nil, fmt.Errorf("the field %q is there twice", name)
		}
		c.fields = append(c.fields, field)
	}
	if m.AllowUnbound && c.input != nil {
		return nil, fmt.Errorf("no field is seen of messages that are not bound")
	}
	return c, nil
}

// template takes a resource apart that is named.
func (c *method) template() error {
	parts := strings.Split(c.Resource, "/")
	for i, part := range parts {
		name, ok := strings.CutPrefix(part, "{")
		if !ok {
			if strings.ContainsAny(part, "{}") {
				return fmt.Errorf("a field is a whole segment, as in {name}")
			}
			if err := delegation.ValidResource(part); err != nil {
				return err
			}
			c.resource = append(c.resource, segment{text: part})
			continue
		}
		name, closed := strings.CutSuffix(name, "}")
		name, many := strings.CutSuffix(name, "...")
		if !closed || strings.ContainsAny(name, "{}") || many && i < len(parts)-1 {
			return fmt.Errorf("%s is no field, {name}, or {name...} at the end", part)
		}
		field, err := c.field(name)
		if err != nil {
			return err
		}
		if field.Kind() != protoreflect.StringKind {
			return fmt.Errorf("the field %q is no string", name)
		}
		c.resource = append(c.resource, segment{field: field, many: many})
	}
	return nil
}

// field finds a field of the method's message in the schema that is linked in.
func (c *method) field(name string) (protoreflect.FieldDescriptor, error) {
	if c.input == nil {
		service, own, err := split(c.Name)
		if err != nil {
			return nil, err
		}
		d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(service))
		if err != nil {
			return nil, fmt.Errorf("the schema of %s is not linked in: %w", service, err)
		}
		s, ok := d.(protoreflect.ServiceDescriptor)
		if !ok {
			return nil, fmt.Errorf("%s is no service", service)
		}
		found := s.Methods().ByName(protoreflect.Name(own))
		if found == nil {
			return nil, fmt.Errorf("%s has no such method", service)
		}
		if c.input, err = protoregistry.GlobalTypes.FindMessageByName(found.Input().FullName()); err != nil {
			c.input = dynamicpb.NewMessageType(found.Input()) // there is a schema, but no generated code
		}
	}
	field := c.input.Descriptor().Fields().ByName(protoreflect.Name(name))
	if field == nil {
		return nil, fmt.Errorf("%s has no field %q", c.input.Descriptor().FullName(), name)
	}
	if field.IsList() || field.IsMap() {
		return nil, fmt.Errorf("the field %q is repeated", name)
	}
	return field, nil
}

// find returns the method of a call.
func (m *Mapping) find(name string) (*method, error) {
	if m == nil || m.methods == nil {
		return compile(Method{Name: name})
	}
	if c := m.methods[name]; c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("the mapping does not have the method")
}

// request returns what a call with a message asks for. The message is in bytes, as on
// the wire, and not looked at where it is not bound.
func (c *method) request(message []byte) (*delegation.Request, error) {
	req := &delegation.Request{Operation: c.Operation}
	if !c.AllowUnbound {
		sum := sha256.Sum256(message)
		req.BodyDigest = sum[:]
	}
	var decoded protoreflect.Message
	if c.input != nil {
		decoded = c.input.New()
		if err := proto.Unmarshal(message, decoded.Interface()); err != nil {
			return nil, fmt.Errorf("the message cannot be read: %w", err)
		}
	}
	parts := make([]string, len(c.resource))
	for i, s := range c.resource {
		parts[i] = s.text
		if s.field != nil {
			parts[i] = decoded.Get(s.field).String()
			if !s.many && strings.Contains(parts[i], "/") {
				return nil, fmt.Errorf("the field %q is more than one segment of a resource", s.field.Name())
			}
		}
	}
	req.Resource = strings.Join(parts, "/")
	if len(c.fields) > 0 {
		req.Args = make(map[string]any, len(c.fields))
	}
	for _, field := range c.fields {
		if field.HasPresence() && !decoded.Has(field) {
			continue
		}
		value, err := argument(decoded.Get(field))
		if err != nil {
			return nil, fmt.Errorf("the field %q: %w", field.Name(), err)
		}
		req.Args[string(field.Name())] = value
	}
	return req, nil
}

// argument returns the value of a field as an argument has it.
func argument(v protoreflect.Value) (any, error) {
	switch n := v.Interface().(type) {
	case int32:
		return int64(n), nil
	case uint32:
		return int64(n), nil
	case uint64:
		if n > math.MaxInt64 {
			return nil, fmt.Errorf("%d is beyond 64 bits with a sign", n)
		}
		return int64(n), nil
	default: // string, bool and int64, by compile
		return n, nil
	}
}
