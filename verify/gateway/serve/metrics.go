package serve

import (
	"io"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/verify/gateway"
)

// Metrics are what a gateway's decisions come to. No label is anything that a client can
// choose.
type Metrics struct {
	decisions *prometheus.CounterVec
	duration  prometheus.Histogram
}

// NewMetrics returns metrics without a decision.
func NewMetrics() *Metrics {
	m := &Metrics{
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "whittle_decisions_total", Help: "Decisions by their code; allowed where there is none.",
		}, []string{"code"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "whittle_decision_duration_seconds", Help: "How long a decision took.",
			Buckets: prometheus.ExponentialBuckets(25e-6, 2, 16), // to 0.8 s
		}),
	}
	for _, code := range codes {
		m.decisions.WithLabelValues(code)
	}
	return m
}

// codes are there from the start, so that a rate is one from the first denial on.
var codes = []string{
	"allowed", string(token.CodeMalformed), string(token.CodeUnsupported), string(token.CodeSignature), string(token.CodeUntrustedRoot),
	string(token.CodeNotPresented), string(token.CodeProfile), string(token.CodeAudience), string(token.CodeWindow), string(token.CodeExpired),
	string(token.CodeRevoked), string(token.CodeStale), string(token.CodeReplay), string(token.CodeCheckFailed), string(token.CodePolicy),
	string(token.CodeEvaluation), string(token.CodeLimit), string(token.CodeUnavailable),
}

// Observe is for [gateway.Options].
func (m *Metrics) Observe(code token.Code, took time.Duration) {
	if code == "" {
		code = "allowed"
	}
	m.decisions.WithLabelValues(string(code)).Inc()
	m.duration.Observe(took.Seconds())
}

// Admin returns the handler for whoever operates a gateway:
//
//	/healthz  200 as long as the process answers
//	/readyz   200 while the gateway decides, 503 after it was closed
//	/metrics  in Prometheus' text format
//
// It tells nothing of any request, but is not meant for clients.
func Admin(g *gateway.Gateway, m *Metrics) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		m.decisions, m.duration, &state{gateway: g},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "alive") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if g.Stats().Closed {
			answer(w, http.StatusServiceUnavailable, "closed")
			return
		}
		answer(w, http.StatusOK, "ready")
	})
	return mux
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n") // the client may be gone
}

// state is what is looked up when it is asked for.
type state struct{ gateway *gateway.Gateway }

func described(name, help string) *prometheus.Desc { return prometheus.NewDesc(name, help, nil, nil) }

var (
	reloads    = described("whittle_config_reloads_total", "Configurations taken over since the start.")
	failures   = described("whittle_config_failures_total", "Configurations refused since the start.")
	good       = described("whittle_config_good", "1, or 0 while the configuration is bad and an earlier one is in force.")
	files      = described("whittle_file_failures_total", "Trust files and directories that could not be read again.")
	lists      = described("whittle_revocations_good", "1, or 0 while a list of revocations is bad and an earlier one is in force.")
	hits       = described("whittle_chain_memory_hits_total", "Tokens that continued a known chain, since the configuration was taken over.")
	misses     = described("whittle_chain_memory_misses_total", "Tokens verified as a whole, since the configuration was taken over.")
	chains     = described("whittle_chain_memory_chains", "Chains known now.")
	bytes      = described("whittle_chain_memory_bytes", "Roughly what they take.")
	signatures = described("whittle_signatures_total", "Signatures looked at, since the configuration was taken over.")
)

func (s *state) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{reloads, failures, good, files, lists, hits, misses, chains, bytes, signatures} {
		ch <- d
	}
}

func (s *state) Collect(ch chan<- prometheus.Metric) {
	stats := s.gateway.Stats()
	counter := func(d *prometheus.Desc, n uint64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n))
	}
	gauge := func(d *prometheus.Desc, v float64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v)
	}
	counter(reloads, stats.Reloads)
	counter(failures, stats.Failures)
	gauge(good, one(stats.Problem == ""))
	counter(files, stats.FileFailures)
	gauge(lists, one(stats.Revocations == nil))
	memory := stats.Memory
	counter(hits, memory.Hits)
	counter(misses, memory.Misses)
	counter(signatures, memory.Signatures)
	gauge(chains, float64(memory.Chains))
	gauge(bytes, float64(memory.Bytes))
}

func one(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
