//go:build cgo

package compile

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"

	"sandbox/sandbox/definition"
)

//go:embed default.policy
var defaultText string

// DefaultPolicy returns the default policy, read from default.policy.
func DefaultPolicy() (*definition.Policy, error) {
	policy, err := parsePolicy(defaultText)
	if err != nil {
		return nil, fmt.Errorf("default.policy:%w", err)
	}
	return policy, nil
}

// parsePolicy reads the format described at the top of default.policy.
func parsePolicy(text string) (*definition.Policy, error) {
	policy := &definition.Policy{}
	for i, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if err := parseLine(policy, words); err != nil {
			return nil, fmt.Errorf("%d: %w", i+1, err)
		}
	}
	return policy, nil
}

func parseLine(policy *definition.Policy, words []string) error {
	if words[0] == "default" {
		if len(words) != 2 {
			return fmt.Errorf("default takes one action")
		}
		policy.Default, policy.Errno = parseAction(words[1])
		return nil
	}
	rule := definition.PolicyRule{}
	rule.Action, rule.Errno = parseAction(words[0])
	words = words[1:]
	for len(words) > 0 && words[0] != "if" {
		rule.Names = append(rule.Names, words[0])
		words = words[1:]
	}
	for len(words) > 0 {
		// words[0] is "if" or "and".
		arg, rest, err := parseCondition(words[1:])
		if err != nil {
			return err
		}
		if len(rest) > 0 && rest[0] != "and" {
			return fmt.Errorf("%q after a condition, want \"and\"", rest[0])
		}
		rule.Args = append(rule.Args, arg)
		words = rest
	}
	policy.Rules = append(policy.Rules, rule)
	return nil
}

func parseAction(word string) (definition.Action, string) {
	action, errno, _ := strings.Cut(word, "=")
	return definition.Action(action), errno
}

// parseCondition reads "argN OP VALUE" or "argN & MASK == VALUE".
func parseCondition(words []string) (definition.PolicyArg, []string, error) {
	var arg definition.PolicyArg
	bad := func() (definition.PolicyArg, []string, error) {
		return arg, nil, fmt.Errorf("condition %q: want argN OP VALUE or argN & MASK == VALUE", strings.Join(words, " "))
	}
	if len(words) < 3 || !strings.HasPrefix(words[0], "arg") {
		return bad()
	}
	index, err := strconv.ParseUint(words[0][len("arg"):], 10, 8)
	if err != nil {
		return bad()
	}
	arg.Index, arg.Op = uint(index), words[1]
	value, rest := words[2], words[3:]
	if arg.Op == "&" {
		if len(rest) < 2 || rest[0] != "==" {
			return bad()
		}
		arg.Op = "masked"
		if arg.Mask, err = strconv.ParseUint(value, 0, 64); err != nil {
			return bad()
		}
		value, rest = rest[1], rest[2:]
	}
	if arg.Value, err = strconv.ParseUint(value, 0, 64); err != nil {
		return bad()
	}
	return arg, rest, nil
}
