package main

import (
	"strings"

	"sandbox/script/vm"
)

// printable escapes what could move a terminal's cursor or reorder its text.
func printable(s string) string { return vm.Printable(s) }

// unknown is the error of a name that is none of some.
func unknown(kind, name string, among []string) error {
	e := &usageError{message: "unknown " + kind + " " + quote(name), hint: didYouMean(name, among)}
	if e.hint == "" {
		e.hint = "there are " + strings.Join(among, ", ")
	}
	return e
}

func didYouMean(name string, among []string) string {
	if best := vm.Suggest(name, among); best != "" {
		return "did you mean " + best + "?"
	}
	return ""
}
