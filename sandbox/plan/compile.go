package plan

import (
	"sandbox/sandbox/cgroups"
	"sandbox/sandbox/definition"
)

// Compile turns a definition into the plan for a host. The error is
// definition.Problems: everything that this host cannot do for it.
func Compile(def *definition.Definition, facts Facts) (*Plan, error) {
	c := &compiler{def: def, facts: facts, plan: &Plan{}}
	c.decide()
	c.prepare()
	c.enter()
	c.isolate()
	c.root()
	c.stop()
	c.payload()
	c.supervise()
	c.tearDown()
	if len(c.problems) > 0 {
		return nil, c.problems.At(def.Origins)
	}
	return c.plan, nil
}

// compiler is one Compile: the decisions that several steps depend on.
type compiler struct {
	def      *definition.Definition
	facts    Facts
	plan     *Plan
	problems definition.Problems

	setting cgroups.Setting
	ns      map[string]bool // namespaces that are new
	// userFirst: an ordinary user's user namespace comes before everything, as it
	// gives the right to the rest. Root's comes last, so that the mounts belong to
	// the outer one and cannot be undone from inside.
	userFirst, userLast bool
	keeper              bool // init stays as the payload's parent
	uids, gids          []definition.IDRange
	helpers             bool // newuidmap writes the maps
	resolve             bool // user or groups are names, looked up in the rootfs
	uid, gid            uint32
	groups              []uint32
	terminal            bool
}

func (c *compiler) host(op Op, field string) { c.step(Host, op, field) }
func (c *compiler) init(op Op, field string) { c.step(Init, op, field) }

func (c *compiler) step(side Side, op Op, field string) {
	s := Step{Side: side, Op: op, Field: field}
	if field != "" {
		s.Origin = c.def.Origins.Of(field)
	}
	c.plan.Steps = append(c.plan.Steps, s)
}

func (c *compiler) problem(field, message, hint string) {
	c.problems = append(c.problems, definition.Problem{Path: field, Message: message, Hint: hint})
}

// note says what is degraded in every run of this plan.
func (c *compiler) note(field, text string) {
	c.plan.Notes = append(c.plan.Notes, Note{Text: text, Origin: c.def.Origins.Of(field)})
}

// maybe is a note that comes true only when init says so; its number goes into the op.
func (c *compiler) maybe(field, text string) int {
	c.plan.Notes = append(c.plan.Notes, Note{Text: text, Origin: c.def.Origins.Of(field), Conditional: true})
	return len(c.plan.Notes)
}
