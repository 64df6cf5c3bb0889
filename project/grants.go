package project

import (
	"net/netip"
	"path"
	"strconv"
	"strings"

	"sandbox/script/vm"
)

// Grant is one thing beyond the project that recipes may reach, or that a library
// needs: "exec=git".
type Grant struct {
	Kind  string // exec, net, read or write
	Value string
	Line  int
}

// String returns the grant as it is written.
func (g Grant) String() string { return g.Kind + "=" + g.Value }

var grantKinds = []string{"exec", "net", "read", "write"}

// grantShape is said when a grant is malformed.
const grantShape = "exec=PROGRAM, read=PATH, write=PATH, or net=HOST:PORT"

func (r *reader) grants(at string, v *value) []Grant {
	var all []Grant
	for _, item := range r.texts(at, v) {
		g, problem, hint := parseGrant(item.text)
		if problem != "" {
			r.problem(item.line, at, strconv.Quote(item.text)+": "+problem, hint)
			continue
		}
		g.Line = item.line
		for _, before := range all {
			if before.String() == g.String() {
				r.problem(item.line, at, strconv.Quote(item.text)+" is given twice", "the first is at line "+strconv.Itoa(before.Line))
			}
		}
		all = append(all, g)
	}
	return all
}

func parseGrant(text string) (g Grant, problem, hint string) {
	var found bool
	g.Kind, g.Value, found = strings.Cut(text, "=")
	switch {
	case !isText(text):
		return g, "it has control characters", ""
	case !found:
		return g, "a grant has a kind and a value", "write " + grantShape
	case g.Kind == "read" || g.Kind == "write":
		problem, hint = checkHostPath(g.Value)
	case g.Kind == "exec":
		problem, hint = checkProgram(g.Value)
	case g.Kind == "net":
		problem, hint = checkHost(g.Value)
	default:
		problem, hint = "there is no grant "+strconv.Quote(g.Kind), "there are "+grantShape
		if near := vm.Suggest(g.Kind, grantKinds); near != "" {
			hint = "did you mean \"" + near + "=" + g.Value + "\"?"
		}
	}
	return g, problem, hint
}

// checkHostPath wants a path that means one thing: without "~", and tidy, so that what
// it covers can be seen.
func checkHostPath(p string) (problem, hint string) {
	switch tidy := path.Clean(p); {
	case p == "":
		return "the path is empty", "\"/\" is the whole host"
	case strings.HasPrefix(p, "~"):
		return "\"~\" is not known here", "write the path in full"
	case tidy != p && "./"+tidy != p:
		return "the path is not tidy", "write " + tidy
	}
	return "", ""
}

func checkProgram(p string) (problem, hint string) {
	switch {
	case p == "":
		return "the program has no name", "write exec=git or exec=/usr/bin/git"
	case strings.HasPrefix(p, "/"):
		return checkHostPath(p)
	case strings.ContainsAny(p, "/ ") || p == ".." || p == "." || strings.HasPrefix(p, "-"):
		return "this is no name of a program", "write its name alone or its path in full, without arguments"
	}
	return "", ""
}

// checkHost wants a host name, "*." and a domain, or an address, and perhaps a port.
func checkHost(h string) (problem, hint string) {
	host, port := h, ""
	if i := strings.LastIndexByte(h, ':'); i >= 0 && (strings.Count(h, ":") == 1 || strings.HasPrefix(h, "[") && h[i-1] == ']') {
		host, port = h[:i], h[i+1:]
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return strconv.Quote(port) + " is no port", "write a number between 1 and 65535"
		}
	}
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return "", ""
	}
	name := strings.TrimPrefix(host, "*.")
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789-"
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, letters) != "" || label[0] == '-' {
			return "this is no host", "write net=example.org, net=example.org:443 or net=*.example.org, in small letters"
		}
	}
	return "", ""
}
