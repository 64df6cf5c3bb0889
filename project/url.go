package project

import (
	"slices"
	"strings"
)

// schemes are the transports that libraries are fetched by. Those that are left out
// run commands (ext), take descriptors (fd), or are helpers of somebody's.
var schemes = []string{"https", "ssh", "file", "http"}

// ParseURL tells whether text is meant as the address of a git repository rather than
// as a path, and what is wrong with it as an address; "" when nothing is.
func ParseURL(text string) (remote bool, problem, hint string) {
	scheme, rest, hasScheme := strings.Cut(text, "://")
	helper, _, isHelper := strings.Cut(text, "::")
	host, path, isSCP := strings.Cut(text, ":") // git@example.org:team/library.git
	switch {
	case strings.HasPrefix(text, "-"):
		return false, "an address does not begin with \"-\"", ""
	case isHelper && strings.Trim(helper, "abcdefghijklmnopqrstuvwxyz") == "":
		return true, "\"" + helper + "::\" hands the address to a program", "write an address that begins with https://, ssh:// or file://"
	case !isText(text) || strings.Contains(text, " "):
		return hasScheme, "it has spaces or control characters", ""
	case hasScheme:
		problem, hint = checkURL(scheme, rest)
		return true, problem, hint
	case isSCP && host != "" && path != "" && !strings.Contains(host, "/"):
		problem, hint = checkHostOf(host)
		return true, problem, hint
	}
	return false, "this is a path", "write path = …, or for a repository on this machine file:// and its path in full"
}

// checkHostOf looks at user@host. ssh would take a host that begins with "-" as an
// option (CVE-2017-1000117).
func checkHostOf(authority string) (problem, hint string) {
	user, host, hasUser := strings.Cut(authority, "@")
	if !hasUser {
		user, host = "", authority
	}
	switch {
	case strings.Contains(user, ":"):
		return "it has a password", "leave it out, and let a credential helper of git give it"
	case strings.HasPrefix(host, "-") || strings.HasPrefix(user, "-"):
		return "a host does not begin with \"-\"", ""
	}
	return "", ""
}

func checkURL(scheme, rest string) (problem, hint string) {
	authority, path, _ := strings.Cut(rest, "/")
	switch {
	case !slices.Contains(schemes, scheme):
		return "libraries are not fetched by " + scheme + "://", "write an address that begins with https://, ssh:// or file://"
	case scheme == "file" && authority != "" || scheme != "file" && authority == "" || path == "":
		return "it has no host or no path", "write https://example.org/library.git, or file:///folder/library.git"
	}
	return checkHostOf(authority)
}

// SplitVersion cuts "@v1.2.0" off an address or a name. The "@" of user@host is
// another one: it stands before the path.
func SplitVersion(text string) (source, version string) {
	start := 0
	if _, rest, found := strings.Cut(text, "://"); found {
		start = len(text) - len(rest) + strings.IndexByte(rest+"/", '/')
	} else if host, _, found := strings.Cut(text, ":"); found && !strings.Contains(host, "/") {
		start = len(host)
	}
	if start > len(text) {
		return text, ""
	}
	path, version, _ := strings.Cut(text[start:], "@")
	return text[:start] + path, version
}
