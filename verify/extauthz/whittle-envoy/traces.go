package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// flush bounds how long the last spans may take to be sent.
const flush = 5 * time.Second

// traces returns what sends spans to the collector that the environment names, and what
// sends the last of them. Without a collector there are none. The exporter reads the
// variables of OpenTelemetry itself.
func traces(ctx context.Context, logger *slog.Logger) (trace.TracerProvider, func() error, error) {
	if os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") == "" && os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == "" {
		return noop.NewTracerProvider(), func() error { return nil }, nil
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"} {
		if protocol := os.Getenv(name); protocol != "" && protocol != "grpc" {
			return nil, nil, fmt.Errorf("%s is %q: spans are sent by grpc only", name, protocol)
		}
	}
	// A collector that is away is no reason to deny, and none to be silent.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		logger.Error("spans cannot be sent", slog.Any("error", err))
	}))
	exporter, err := otlptracegrpc.New(ctx)
	if err != nil {
		return nil, nil, err
	}
	about, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", "whittle-envoy")), resource.WithFromEnv())
	if err != nil {
		return nil, nil, err
	}
	provider := sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(about))
	return provider, func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flush)
		defer cancel()
		return provider.Shutdown(ctx)
	}, nil
}
