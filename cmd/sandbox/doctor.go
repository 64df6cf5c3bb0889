package main

import (
	"encoding/json"
	"strings"

	"github.com/spf13/cobra"

	"sandbox/sandbox/probe"
)

func (a *app) doctorCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say what this machine can do",
		Long: "Try what containers need on this machine for this user, and say what to do about what is\n" +
			"missing: ok, warn (something is degraded) or error (containers do not run).",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.doctor(asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the findings as JSON")
	return cmd
}

func (a *app) doctor(asJSON bool) error {
	findings := probe.Doctor()
	text := doctorText(findings)
	if asJSON {
		encoded, err := json.MarshalIndent(findings, "", "  ")
		if err != nil {
			return err
		}
		text = string(encoded) + "\n"
	}
	err := write(a.out, text)
	for _, f := range findings {
		if err == nil && f.Level == probe.LevelError {
			return codeError(exitProblem)
		}
	}
	return err
}

// doctorText is a line a finding, those about one thing that say the same in one.
func doctorText(findings []probe.Check) string {
	findings = together(findings)
	width := 0
	for _, f := range findings {
		width = max(width, len(f.Name))
	}
	var b strings.Builder
	for _, f := range findings {
		b.WriteString(pad(string(f.Level), 6) + pad(f.Name, width+2) + printable(f.Text) + "\n")
		if f.Advice != "" {
			b.WriteString(strings.Repeat(" ", 6+width+2) + "hint: " + printable(f.Advice) + "\n")
		}
	}
	return b.String()
}

// together joins neighbours like limits.memory and limits.pids that say the same.
func together(findings []probe.Check) []probe.Check {
	var joined []probe.Check
	for _, f := range findings {
		thing, item, itemized := strings.Cut(f.Name, ".")
		if !itemized {
			joined = append(joined, f)
			continue
		}
		f.Name, f.Text = thing, ": "+f.Text
		if n := len(joined) - 1; n >= 0 && joined[n].Name == thing && joined[n].Level == f.Level && joined[n].Advice == f.Advice {
			if items, same := strings.CutSuffix(joined[n].Text, f.Text); same {
				joined[n].Text = items + ", " + item + f.Text
				continue
			}
		}
		f.Text = item + f.Text
		joined = append(joined, f)
	}
	return joined
}

func pad(s string, width int) string { return s + strings.Repeat(" ", max(0, width-len(s))) }
