package project

import (
	"strings"

	"golang.org/x/mod/semver"
)

// Release is the version of what recipes and libraries can say. A library names the
// oldest one that it works with. It is raised with every release.
const Release = "0.1.0"

// IsSemver tells whether s is MAJOR.MINOR.PATCH, perhaps with -PRERELEASE.
func IsSemver(s string) bool { return semver.IsValid("v"+s) && semver.Canonical("v"+s) == "v"+s }

// newer tells whether a version is newer than another; both may be incomplete: "0.2".
func newer(a, b string) bool { return semver.Compare("v"+a, "v"+b) > 0 }

// IsVersion tells whether a word can name a tag, a branch or a commit, by the rules of
// git check-ref-format. None begins with "-".
func IsVersion(s string) bool {
	switch {
	case s == "" || len(s) > 100 || !isText(s) || strings.ContainsAny(s, " ~^:?*[\\"):
		return false
	case strings.Contains(s, "..") || strings.Contains(s, "@{") || strings.Contains(s, "//") || strings.Contains(s, "/.") || s == "@":
		return false
	}
	return !strings.HasPrefix(s, "-") && !strings.HasPrefix(s, "/") && !strings.HasPrefix(s, ".") &&
		!strings.HasSuffix(s, "/") && !strings.HasSuffix(s, ".") && !strings.HasSuffix(s, ".lock")
}

// Takes tells whether a wanted version is met by a tag, a branch or a commit of that
// name: "v1" and "1" are met by the tags v1, v1.4.0 and 1.4.0, and "" by anything.
func Takes(wanted, ref string) bool {
	if wanted == "" || wanted == ref {
		return true
	}
	w, tag := strings.TrimPrefix(wanted, "v"), strings.TrimPrefix(ref, "v")
	if !semver.IsValid("v"+w) || !semver.IsValid("v"+tag) {
		return false
	}
	return w == tag || strings.HasPrefix(tag, w+".")
}

// NewestTag returns the newest of the tags that a wanted version takes, or "". Tags that
// are no versions count only when they are what is wanted, and prereleases likewise.
func NewestTag(tags []string, wanted string) string {
	best := ""
	for _, tag := range tags {
		if tag == wanted {
			return tag
		}
		v := "v" + strings.TrimPrefix(tag, "v")
		if !Takes(wanted, tag) || !semver.IsValid(v) || semver.Prerelease(v) != "" && strings.TrimPrefix(wanted, "v") != v[1:] {
			continue
		}
		if best == "" || semver.Compare(v, "v"+strings.TrimPrefix(best, "v")) > 0 {
			best = tag
		}
	}
	return best
}
