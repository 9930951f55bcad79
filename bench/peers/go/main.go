// Go's net/http: one goroutine for each agent, one transport for all.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

type record struct {
	Response string `json:"response"`
	Done     bool   `json:"done"`
	TNs      int64  `json:"t_ns"`
}

// What one agent has seen. Delays in microseconds.
type seen struct {
	delays, ttfts  []float64
	tokens, errors int
}

// CLOCK_MONOTONIC, the clock of t_ns, which package time does not show.
func nowNs() int64 {
	var t syscall.Timespec
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, 1, uintptr(unsafe.Pointer(&t)), 0)
	return t.Nano()
}

func oneReply(client *http.Client, url, body string, s *seen) error {
	asked := nowNs()
	response, err := client.Post(url+"/api/generate", "application/json", strings.NewReader(body))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	lines := bufio.NewReader(response.Body)
	tokens, done := 0, false
	for {
		line, err := lines.ReadSlice('\n')
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		var r record
		if err := json.Unmarshal(line, &r); err != nil {
			return err
		}
		done = done || r.Done
		if r.Response == "" {
			continue
		}
		now := nowNs()
		if tokens == 0 {
			s.ttfts = append(s.ttfts, float64(now-asked)/1e3)
		}
		tokens++
		s.delays = append(s.delays, float64(now-r.TNs)/1e3)
	}
	s.tokens += tokens
	if !done {
		return errors.New("the reply ended early")
	}
	return nil
}

func quantile(sorted []float64, share float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(share*float64(len(sorted)-1)+0.5)]
}

func main() {
	url := flag.String("url", "", "of the server")
	agents := flag.Int("agents", 1, "at once")
	requests := flag.Int("requests", 1, "of each agent, one after the other")
	tokens := flag.Int("tokens-per-reply", 100, "")
	ramp := flag.Int("ramp-ms", 0, "over which the agents begin")
	flag.Parse()

	// The file limit is raised by Go itself from 1.19 on.
	client := &http.Client{Transport: &http.Transport{
		Proxy: nil, MaxIdleConns: 0, MaxIdleConnsPerHost: *agents, DisableCompression: true,
	}}
	body := fmt.Sprintf(`{"model":"m","prompt":"Why is the sky blue?","options":{"num_predict":%d}}`, *tokens)
	all := make([]seen, *agents)
	began := nowNs()
	var running sync.WaitGroup
	for i := range all {
		running.Add(1)
		go func(i int) {
			defer running.Done()
			time.Sleep(time.Duration(*ramp) * time.Millisecond * time.Duration(i) / time.Duration(*agents))
			for r := 0; r < *requests; r++ {
				if err := oneReply(client, *url, body, &all[i]); err != nil {
					fmt.Fprintln(os.Stderr, "go:", err)
					all[i].errors++
				}
			}
		}(i)
	}
	running.Wait()
	wall := float64(nowNs()-began) * 1e-9

	var total seen
	for _, s := range all {
		total.delays = append(total.delays, s.delays...)
		total.ttfts = append(total.ttfts, s.ttfts...)
		total.tokens += s.tokens
		total.errors += s.errors
	}
	sort.Float64s(total.delays)
	sort.Float64s(total.ttfts)
	json.NewEncoder(os.Stdout).Encode(map[string]any{
		"client": "go_net_http", "agents": *agents, "tokens": total.tokens, "errors": total.errors, "wall_s": wall,
		"ttft_us_p50": quantile(total.ttfts, 0.5), "delay_us_p50": quantile(total.delays, 0.5),
		"delay_us_p99": quantile(total.delays, 0.99), "delay_us_max": quantile(total.delays, 1),
	})
	if total.errors > 0 {
		os.Exit(1)
	}
}
