package cli

import (
	"context"
	"errors"
	"os"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
)

// traceTo returns a provider that appends spans to a file, a JSON object each, and what
// ends it. What collectors speak, OTLP, needs gRPC, and is left to a module of its own.
func traceTo(path string) (*trace.TracerProvider, func(context.Context) error, error) {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, err
	}
	exporter, err := stdouttrace.New(stdouttrace.WithWriter(file))
	if err != nil {
		return nil, nil, err
	}
	provider := trace.NewTracerProvider(trace.WithBatcher(exporter), trace.WithResource(resource.NewSchemaless(attribute.String("service.name", "whittle"))))
	return provider, func(ctx context.Context) error { return errors.Join(provider.Shutdown(ctx), file.Close()) }, nil
}
