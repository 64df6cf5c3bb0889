// Package libraries gets the libraries of a project: it reads them from folders and
// git repositories, pins what they are in sandbox.lock, and keeps copies in the cache
// and in the project. `sandbox lib` is its only user: nothing is fetched while a recipe
// runs.
//
// What it reads was written by strangers. A library is regular files with plain names,
// bounded in number and size; it is never checked out, only its blobs are read, and
// nothing of it is run.
package libraries

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sandbox/project"
)

// tree is the files of a library, sorted by name.
type tree []content

type content struct {
	name string
	text []byte
}

func (t tree) sums() project.Sums {
	sums := make(project.Sums, len(t))
	for i, f := range t {
		sums[i] = project.SumOf(f.name, f.text)
	}
	return sums
}

func (t tree) find(name string) *content {
	for i := range t {
		if t[i].name == name {
			return &t[i]
		}
	}
	return nil
}

// entry is one file of a library that has not been read yet.
type entry struct {
	name string
	size int64
	id   string // of the blob, in a repository
}

// bounded sorts the files of a library and refuses what cannot be one.
func bounded(entries []entry) error {
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	names := make([]string, len(entries))
	total := int64(0)
	for i, e := range entries {
		names[i] = e.name
		total += e.size
		if e.size > project.MaxContent {
			return fmt.Errorf("%s has %d bytes; a file of a library has at most %s", strconv.Quote(e.name), e.size, mebibytes(project.MaxContent))
		}
	}
	if total > project.MaxTotal {
		return fmt.Errorf("its files have %d bytes; a library has at most %s", total, mebibytes(project.MaxTotal))
	}
	if name, problem := project.CheckNames(names); problem != "" {
		return fmt.Errorf("%s: %s", strconv.Quote(name), problem)
	}
	return nil
}

func mebibytes(n int) string { return strconv.Itoa(n>>20) + " MiB" }

// hinted is an error with advice.
type hinted struct{ message, hint string }

func (e *hinted) Error() string { return e.message }

// Hint says what to do.
func (e *hinted) Hint() string { return e.hint }
