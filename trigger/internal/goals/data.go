package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Labels of a message.
const (
	labelHuman       = "human_request"
	labelFrustration = "frustration"
)

type message struct {
	text, label, lang string
}

type source struct {
	name     string
	messages []message
}

// load reads every source below dir: dir/triggers/*/labels.tsv or
// dir/*/labels.tsv. A source is a tab-separated table with a header line; its
// first three columns are text, label and language.
func load(dir string) ([]source, error) {
	if dir == "" {
		return nil, errors.New("no data folder: set HANDOFF_DATA or pass -data")
	}
	files, err := filepath.Glob(filepath.Join(dir, "triggers", "*", "labels.tsv"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		if files, err = filepath.Glob(filepath.Join(dir, "*", "labels.tsv")); err != nil {
			return nil, err
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no */labels.tsv below %s", dir)
	}
	var out []source
	for _, f := range files {
		src, err := table(f, filepath.Base(filepath.Dir(f)))
		if err != nil {
			return nil, err
		}
		out = append(out, src)
	}
	return out, nil
}

// loadProbes reads a table of sentences of our own, if there is one.
func loadProbes(file string) ([]source, error) {
	if file == "" {
		return nil, nil
	}
	src, err := table(file, "own probes")
	return []source{src}, err
}

func table(file, name string) (source, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return source{}, err
	}
	s := source{name: name}
	for i, line := range strings.Split(string(raw), "\n") {
		cols := strings.Split(strings.TrimSuffix(line, "\r"), "\t")
		if i == 0 || len(cols) < 3 {
			continue
		}
		s.messages = append(s.messages, message{text: cols[0], label: cols[1], lang: cols[2]})
	}
	return s, nil
}
