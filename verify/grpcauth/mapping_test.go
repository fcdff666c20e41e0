package grpcauth_test

import (
	"encoding/hex"
	"math"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	health "google.golang.org/grpc/health/grpc_health_v1"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify/grpcauth"
)

// optionCall is a method of no server whose message has 64-bit and optional fields.
const optionCall = "/whittle.test.Options/Set"

// Services with a schema and without generated code.
func init() {
	for _, file := range []*descriptorpb.FileDescriptorProto{{
		Name: new("whittle_test.proto"), Package: new("whittle.test"), Syntax: new("proto3"),
		Dependency: []string{"google/protobuf/descriptor.proto"},
		Service:    []*descriptorpb.ServiceDescriptorProto{method("Options", "Set", ".google.protobuf.UninterpretedOption")},
	}, {
		Name: new("payments.proto"), Package: new("payments.v1"), Syntax: new("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{{Name: new("RotateRequest"), Field: []*descriptorpb.FieldDescriptorProto{
			{Name: new("name"), Number: new(int32(1)), Type: descriptorpb.FieldDescriptorProto_TYPE_STRING.Enum(), Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum()},
			{Name: new("days"), Number: new(int32(2)), Type: descriptorpb.FieldDescriptorProto_TYPE_INT32.Enum(), Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum()},
		}}},
		Service: []*descriptorpb.ServiceDescriptorProto{method("Certs", "Rotate", ".payments.v1.RotateRequest")},
	}} {
		made, err := protodesc.NewFile(file, protoregistry.GlobalFiles)
		if err == nil {
			err = protoregistry.GlobalFiles.RegisterFile(made)
		}
		if err != nil {
			panic(err)
		}
	}
}

func method(service, name, message string) *descriptorpb.ServiceDescriptorProto {
	return &descriptorpb.ServiceDescriptorProto{Name: &service, Method: []*descriptorpb.MethodDescriptorProto{{Name: &name, InputType: &message, OutputType: &message}}}
}

// TestExampleOfTheSpecification: the requests of spec/grpc.md.
func TestExampleOfTheSpecification(t *testing.T) {
	const rotate = "/payments.v1.Certs/Rotate"
	message, err := hex.DecodeString("0a03617069101e")
	if err != nil {
		t.Fatal(err)
	}
	digest, err := hex.DecodeString("f8a136fe757fdb2353f5920318ab3df2d3c99ced7b09b2e9adc2e3e3e9f4b5e0")
	if err != nil {
		t.Fatal(err)
	}
	mapping, err := grpcauth.NewMapping(grpcauth.Method{Name: rotate, Operation: "rotate", Resource: "payments/certs/{name}", Fields: []string{"days"}})
	if err != nil {
		t.Fatal(err)
	}
	for m, want := range map[*grpcauth.Mapping]delegation.Request{
		nil:     {Operation: "Rotate", Resource: "payments.v1.Certs", BodyDigest: digest},
		mapping: {Operation: "rotate", Resource: "payments/certs/api", Args: map[string]any{"days": int64(30)}, BodyDigest: digest},
	} {
		if got, err := grpcauth.RequestOf(m, rotate, message); err != nil || !reflect.DeepEqual(got, &want) {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
	}
}

// TestRequests: which request a call is.
func TestRequests(t *testing.T) {
	mapping, err := grpcauth.NewMapping(
		grpcauth.Method{Name: checkCall, Operation: "look", Resource: "health/{service}"},
		grpcauth.Method{Name: unaryCall, Fields: []string{"response_size", "fill_username"}},
		grpcauth.Method{Name: optionCall, Resource: "options/{identifier_value...}", Fields: []string{"positive_int_value", "negative_int_value"}},
		grpcauth.Method{Name: inputCall, AllowUnbound: true},
	)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		mapping *grpcauth.Mapping
		method  string
		message proto.Message
		want    delegation.Request // without the digest; no operation for what is refused
	}{
		"no mapping":        {nil, unaryCall, simple, delegation.Request{Operation: "UnaryCall", Resource: "grpc.testing.TestService"}},
		"no mapping, empty": {nil, unaryCall, &pb.SimpleRequest{}, delegation.Request{Operation: "UnaryCall", Resource: "grpc.testing.TestService"}},
		"no name":           {nil, "UnaryCall", simple, delegation.Request{}},
		"no method's name":  {nil, "/grpc.testing.TestService/", simple, delegation.Request{}},
		"a resource":        {mapping, checkCall, &health.HealthCheckRequest{Service: "db"}, delegation.Request{Operation: "look", Resource: "health/db"}},
		"two segments":      {mapping, checkCall, &health.HealthCheckRequest{Service: "db/a"}, delegation.Request{}},
		"fields": {mapping, unaryCall, simple, delegation.Request{Operation: "UnaryCall", Resource: "grpc.testing.TestService",
			Args: map[string]any{"response_size": int64(7), "fill_username": true}}},
		"fields by default": {mapping, unaryCall, &pb.SimpleRequest{}, delegation.Request{Operation: "UnaryCall", Resource: "grpc.testing.TestService",
			Args: map[string]any{"response_size": int64(0), "fill_username": false}}},
		"many segments, extremes": {mapping, optionCall, &descriptorpb.UninterpretedOption{IdentifierValue: new("a/b"), PositiveIntValue: new(uint64(math.MaxInt64)), NegativeIntValue: new(int64(math.MinInt64))},
			delegation.Request{Operation: "Set", Resource: "options/a/b", Args: map[string]any{"positive_int_value": int64(math.MaxInt64), "negative_int_value": int64(math.MinInt64)}}},
		"not set": {mapping, optionCall, &descriptorpb.UninterpretedOption{IdentifierValue: new("a"), NegativeIntValue: new(int64(0))},
			delegation.Request{Operation: "Set", Resource: "options/a", Args: map[string]any{"negative_int_value": int64(0)}}},
		"beyond 64 bits": {mapping, optionCall, &descriptorpb.UninterpretedOption{IdentifierValue: new("a"), PositiveIntValue: new(uint64(1 << 63))}, delegation.Request{}},
		"not mapped":     {mapping, outputCall, &pb.StreamingOutputCallRequest{}, delegation.Request{}},
		"not bound":      {mapping, inputCall, &pb.StreamingInputCallRequest{}, delegation.Request{Operation: "StreamingInputCall", Resource: "grpc.testing.TestService"}},
	} {
		message := encoded(t, c.message)
		got, err := grpcauth.RequestOf(c.mapping, c.method, message)
		if c.want.Operation == "" {
			if err == nil {
				t.Errorf("%s: %+v, want it refused", name, got)
			}
			continue
		}
		if name != "not bound" {
			c.want.BodyDigest = unary(message).BodyDigest
		}
		if err != nil || !reflect.DeepEqual(got, &c.want) {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, c.want)
		}
	}
}

func TestNewMappingRefuses(t *testing.T) {
	for name, methods := range map[string][]grpcauth.Method{
		"none":                     nil,
		"no full name":             {{Name: "UnaryCall"}},
		"twice":                    {{Name: unaryCall}, {Name: unaryCall}},
		"no operation":             {{Name: unaryCall, Operation: " x"}},
		"no such service":          {{Name: "/no.Service/Do", Fields: []string{"x"}}},
		"a message":                {{Name: "/grpc.testing.SimpleRequest/Do", Fields: []string{"x"}}},
		"no such method":           {{Name: "/grpc.testing.TestService/Do", Fields: []string{"x"}}},
		"no such field":            {{Name: unaryCall, Fields: []string{"nothing"}}},
		"an enumeration":           {{Name: unaryCall, Fields: []string{"response_type"}}},
		"a message's field":        {{Name: unaryCall, Fields: []string{"payload"}}},
		"bytes":                    {{Name: optionCall, Fields: []string{"string_value"}}},
		"a float":                  {{Name: optionCall, Fields: []string{"double_value"}}},
		"repeated":                 {{Name: optionCall, Fields: []string{"name"}}},
		"a field twice":            {{Name: unaryCall, Fields: []string{"response_size", "response_size"}}},
		"a resource that is none":  {{Name: checkCall, Resource: "a//b"}},
		"half a field":             {{Name: checkCall, Resource: "a/x{service}"}},
		"an open field":            {{Name: checkCall, Resource: "a/{service"}},
		"many in the middle":       {{Name: checkCall, Resource: "{service...}/a"}},
		"a number in a resource":   {{Name: unaryCall, Resource: "a/{response_size}"}},
		"fields that are not seen": {{Name: unaryCall, AllowUnbound: true, Fields: []string{"response_size"}}},
		"a resource not seen":      {{Name: checkCall, AllowUnbound: true, Resource: "a/{service}"}},
	} {
		if m, err := grpcauth.NewMapping(methods...); err == nil || m != nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestFields: a caveat on an argument sees the field of the message, and a caveat on the
// resource the one that is in its name.
func TestFields(t *testing.T) {
	mapping, err := grpcauth.NewMapping(
		grpcauth.Method{Name: unaryCall, Fields: []string{"response_size"}},
		grpcauth.Method{Name: checkCall, Resource: "health/{service...}"},
	)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, delegation.ArgRange{Arg: "response_size", Min: 1, Max: 100})
	conn := w.serve(&grpcauth.Options{Mapping: mapping})(w.client(&grpcauth.ClientOptions{Mapping: mapping})...)
	size := func(n int32) error {
		_, err := pb.NewTestServiceClient(conn).UnaryCall(t.Context(), &pb.SimpleRequest{ResponseSize: n})
		return err
	}
	expect(t, "in range", size(100), 0, "")
	expect(t, "beyond", size(101), codes.PermissionDenied, token.CodeCheckFailed)
	expect(t, "negative", size(-1), codes.PermissionDenied, token.CodeCheckFailed)
	expect(t, "by default", size(0), codes.PermissionDenied, token.CodeCheckFailed)

	w = newWorld(t, delegation.Resource("health/db/**"))
	conn = w.serve(&grpcauth.Options{Mapping: mapping})(w.client(&grpcauth.ClientOptions{Mapping: mapping})...)
	check := func(name string) error {
		_, err := health.NewHealthClient(conn).Check(t.Context(), &health.HealthCheckRequest{Service: name})
		return err
	}
	expect(t, "below", check("db/a"), 0, "")
	expect(t, "beside", check("cache"), codes.PermissionDenied, token.CodeCheckFailed)
	// What is no resource is not signed, and denied where somebody does.
	for _, name := range []string{"db/../cache", "db//a", "db/%2e%2e/a", ""} {
		if err := check(name); err == nil || !strings.Contains(err.Error(), "grpcauth: invoking") {
			t.Errorf("%q: %v", name, err)
		}
		message := encoded(t, &health.HealthCheckRequest{Service: name})
		req := delegation.Request{Operation: "Check", Resource: "health/db/a", BodyDigest: unary(message).BodyDigest}
		expect(t, name, send(t, w.serve(&grpcauth.Options{Mapping: mapping})(), checkCall, w.invoke(req), message), codes.PermissionDenied, token.CodeCheckFailed)
	}
}
