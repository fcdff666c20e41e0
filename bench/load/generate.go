package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"
)

// connections are kept open, each with one request on its way at a time.
const connections = 16

// A turn is what so many requests to one side came to.
type turn struct {
	requests int
	denied   map[int]int // by status
	took     time.Duration
	each     []time.Duration // what each request took
}

// send sends a request with each of the tokens and waits for all answers.
func send(address string, tokens []string) (*turn, error) {
	conns := make([]net.Conn, min(connections, len(tokens)))
	for i := range conns {
		var err error
		if conns[i], err = net.Dial("tcp", address); err != nil {
			return nil, err
		}
		defer conns[i].Close()
	}
	// Prepared, so that it costs nothing in the time that counts.
	requests := make([][]byte, len(tokens))
	for i, text := range tokens {
		requests[i] = []byte("GET /" + resource + " HTTP/1.1\r\nHost: " + address + "\r\nAuthorization: Bearer " + text + "\r\n\r\n")
	}
	statuses, errs := make([]int, len(tokens)), make([]error, len(conns))
	t := &turn{requests: len(tokens), denied: map[int]int{}, each: make([]time.Duration, len(tokens))}
	start := time.Now()
	var wg sync.WaitGroup
	for c, conn := range conns {
		wg.Go(func() {
			answers := bufio.NewReader(conn)
			for i := c; i < len(requests); i += len(conns) {
				begin := time.Now()
				if _, errs[c] = conn.Write(requests[i]); errs[c] != nil {
					return
				}
				if statuses[i], errs[c] = status(answers); errs[c] != nil {
					return
				}
				t.each[i] = time.Since(begin)
			}
		})
	}
	wg.Wait()
	t.took = time.Since(start)
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	for _, s := range statuses {
		if s != 200 {
			t.denied[s]++
		}
	}
	return t, nil
}

// status reads one answer of HTTP/1.1 that says how long it is. net/http's client does
// the same and takes more of the processor than the server that is measured.
func status(r *bufio.Reader) (int, error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return 0, fmt.Errorf("not an answer: %q", line)
	}
	code, err := strconv.Atoi(string(line[9:12]))
	if err != nil {
		return 0, err
	}
	length := -1
	for {
		if line, err = r.ReadSlice('\n'); err != nil {
			return 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, err
			}
		}
	}
	if length < 0 {
		return 0, fmt.Errorf("the answer does not say how long it is")
	}
	_, err = io.CopyN(io.Discard, r, int64(length))
	return code, err
}
