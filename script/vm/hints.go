package vm

import "strings"

// newerLua tells from the line of a syntax error whether somebody wrote a later
// Lua, or another language. token is what the parser stumbled over.
func newerLua(text, token string) string {
	const only = "recipes are Lua 5.1: "
	code := withoutComment(text)
	switch {
	case strings.Contains(code, "<const>") || strings.Contains(code, "<close>"):
		return only + "there is no <const> and no <close>"
	case strings.Contains(code, "//"):
		return only + "write math.floor(a / b) for a // b, and -- for a comment"
	case strings.Contains(code, "!="):
		return "write ~= for \"not equal\""
	case strings.Contains(code, "+=") || strings.Contains(code, "-=") || strings.Contains(code, "..="):
		return "write x = x + 1 for x += 1"
	case strings.Contains(code, "++"):
		return "write x = x + 1 for x++"
	case strings.Contains(code, "&&"):
		return "write \"and\" for &&"
	case strings.Contains(code, "||"):
		return "write \"or\" for ||"
	case strings.Contains(code, "<<") || strings.Contains(code, ">>") || token == "&" || token == "|" || token == "~":
		return only + "there are no bit operators"
	case token == "!":
		return "write \"not\" for !"
	case strings.Contains(code, "else if") && token == "":
		return "write elseif for else if, or add an end"
	}
	return ""
}

// withoutComment cuts a comment that runs to the end of the line; strings are not
// looked into, since a hint may be wrong where an error may not.
func withoutComment(text string) string {
	if i := strings.Index(text, "--"); i >= 0 {
		return text[:i]
	}
	return text
}
