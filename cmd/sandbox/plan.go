package main

import (
	"encoding/json"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"sandbox/sandbox/definition"
	"sandbox/sandbox/plan"
	"sandbox/sandbox/probe"
	"sandbox/script"
)

func planFlags() []flag {
	return []flag{{name: "json", help: "print the definition, the inputs and the plan as JSON"}, allowFlag}
}

func (a *app) planCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "plan [RECIPE] [flags of the recipe]",
		Short: "Print what a run would do, step by step",
		Long: "Print what `sandbox run` of a recipe would do on this machine for this user: a line a\n" +
			"step, with the recipe's line that asked for it, then what undoes it, and what is\n" +
			"degraded here. What it reaches of this machine beyond its project is listed last, with\n" +
			"what grants it. Nothing is done, and no root is needed.\n\n" +
			"Variables of the environment, the payload's and those that the recipe reads, appear by\n" +
			"their names alone, and injected files without their contents. A secret that a recipe\n" +
			"puts elsewhere, as into process.args, is shown.\n\n" + flagHelp(planFlags()),
		DisableFlagParsing: true,
		ValidArgsFunction:  completeRecipe(planFlags()),
		RunE:               func(_ *cobra.Command, args []string) error { return a.plan(args) },
	}
}

func (a *app) plan(args []string) error {
	line, err := parseArguments(args, planFlags())
	switch {
	case err != nil:
		return err
	case line.has("help"):
		return a.help(line, "plan")
	}
	if err := line.orDefault("plan"); err != nil {
		return err
	}
	if err := confine(); err != nil {
		return err
	}
	recipe, err := a.load(line)
	if err != nil {
		return err
	}
	defer recipe.Close()
	facts, err := probe.Probe(plan.WantsOf(definitionOf(recipe)))
	if err != nil {
		return err
	}
	p, err := plan.Compile(definitionOf(recipe), facts)
	if err != nil {
		return err
	}
	reached, err := reaches(recipe, line)
	if err != nil {
		return err
	}
	if line.has("json") {
		return a.planJSON(recipe, p, reached)
	}
	return write(a.out, planText(recipe, p)+reachText(recipe, reached, ""))
}

// planText is the plan and what the load read, every line fit for a terminal.
func planText(recipe *script.Recipe, p *plan.Plan) string {
	var b strings.Builder
	for line := range strings.Lines(p.String()) {
		b.WriteString(printable(strings.TrimSuffix(line, "\n")) + "\n")
	}
	for _, in := range recipe.Inputs {
		b.WriteString(inputText(in) + "\n")
	}
	b.WriteString(projectText(recipe, ""))
	return b.String()
}

// inputText words one thing that the load depended on: a fact's value, or the
// digest of a content. A variable of the environment may hold a secret, and plans
// end up in logs.
func inputText(in script.Input) string {
	text := "input " + in.Kind + " " + printable(in.Name)
	switch {
	case in.Error != "":
		return text + ": " + printable(in.Error)
	case !in.Found:
		return text + ": none"
	case in.Kind == script.InputExists:
		return text + ": there"
	case in.Kind == script.InputEnv:
		return text + ": set"
	case in.Kind == script.InputFact:
		return text + " = " + quote(in.Value)
	}
	return text + "  sha256:" + in.Digest()[:16]
}

// planInput is one input in --json, without its content. A variable has no digest:
// a short secret can be guessed from it.
type planInput struct {
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	Found  bool   `json:"found"`
	SHA256 string `json:"sha256,omitempty"`
	Error  string `json:"error,omitempty"`
}

func planInputs(inputs []script.Input) []planInput {
	out := make([]planInput, len(inputs))
	for i, in := range inputs {
		out[i] = planInput{Kind: in.Kind, Name: in.Name, Found: in.Found, Error: in.Error}
		if in.Kind != script.InputEnv {
			out[i].SHA256 = in.Digest()
		}
	}
	return out
}

// withoutSecrets is a definition without what a recipe hands to the payload alone:
// the values of its environment and the contents of its files.
func withoutSecrets(def *definition.Definition) *definition.Definition {
	shown := *def
	shown.Process.Env = withoutValues(def.Process.Env)
	shown.Steps = slices.Clone(def.Steps)
	for i := range shown.Steps {
		shown.Steps[i].Env = withoutValues(shown.Steps[i].Env)
	}
	shown.Services = slices.Clone(def.Services)
	for i := range shown.Services {
		shown.Services[i].Env = withoutValues(shown.Services[i].Env)
	}
	shown.Mounts = slices.Clone(def.Mounts)
	for i := range shown.Mounts {
		shown.Mounts[i].Content = ""
	}
	return &shown
}

func withoutValues(env []definition.EnvVar) []definition.EnvVar {
	names := slices.Clone(env)
	for i := range names {
		names[i].Value = ""
	}
	return names
}

// planStep is one step in --json.
type planStep struct {
	Side   string            `json:"side"`
	Text   string            `json:"text"`
	Field  string            `json:"field,omitempty"`
	Origin definition.Origin `json:"origin,omitzero"`
}

// planReach is what is reached of the host: the grant that it needs, and what grants it.
type planReach struct {
	Grant  string            `json:"grant"`
	Field  string            `json:"field"`
	Origin definition.Origin `json:"origin,omitzero"`
	By     string            `json:"by,omitempty"`
}

func planReaches(recipe *script.Recipe, all []reach) []planReach {
	out := make([]planReach, len(all))
	for i, r := range all {
		out[i] = planReach{Grant: r.String(), Field: r.Field, Origin: definitionOf(recipe).Origins.Of(r.Field), By: r.by}
	}
	return out
}

func (a *app) planJSON(recipe *script.Recipe, p *plan.Plan, reached []reach) error {
	doc := struct {
		Definition *definition.Definition `json:"definition"`
		Inputs     []planInput            `json:"inputs"`
		Grants     []string               `json:"grants"`
		Reaches    []planReach            `json:"reaches"`
		Libraries  []planLibrary          `json:"libraries"`
		Steps      []planStep             `json:"steps"`
		Teardown   []planStep             `json:"teardown"`
		Notes      []string               `json:"notes"`
	}{Definition: withoutSecrets(definitionOf(recipe)), Inputs: planInputs(recipe.Inputs), Grants: planGrants(recipe), Reaches: planReaches(recipe, reached), Libraries: planLibraries(recipe), Steps: planSteps(p.Steps), Teardown: planSteps(p.Teardown), Notes: []string{}}
	for _, n := range p.Notes {
		doc.Notes = append(doc.Notes, n.Text)
	}
	text, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return err
	}
	return write(a.out, string(text)+"\n")
}

func planSteps(steps []plan.Step) []planStep {
	out := make([]planStep, len(steps))
	for i, s := range steps {
		out[i] = planStep{Side: s.Side.String(), Text: s.Op.String(), Field: s.Field, Origin: s.Origin}
	}
	return out
}

func write(f *os.File, text string) error {
	_, err := f.WriteString(text)
	return err
}
