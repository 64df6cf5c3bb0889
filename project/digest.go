package project

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Sum is the content of one file of a library: the SHA-256 in hexadecimal.
type Sum struct{ Name, SHA256 string }

// Sums are all files of a library, sorted by name, byte by byte.
type Sums []Sum

// digestPrefix names the algorithm, so that there can be another.
const digestPrefix = "sha256:"

// SumOf returns the sum of a file.
func SumOf(name string, content []byte) Sum {
	sum := sha256.Sum256(content)
	return Sum{Name: name, SHA256: hex.EncodeToString(sum[:])}
}

// line is what sha256sum prints for a file.
func (s Sum) line() string { return s.SHA256 + "  " + s.Name }

// Digest is that of the library as a whole: the SHA-256 of the lines that sha256sum
// prints for its files. Modes, times and empty folders do not count. In a shell:
//
//	find . -type f -printf '%P\n' | LC_ALL=C sort | xargs -d '\n' sha256sum | sha256sum
func (s Sums) Digest() string {
	sum := sha256.New()
	for _, f := range s {
		sum.Write([]byte(f.line() + "\n"))
	}
	return digestPrefix + hex.EncodeToString(sum.Sum(nil))
}

// Find returns the sum of a file; "" when the library has no such file.
func (s Sums) Find(name string) string {
	if i, found := slices.BinarySearchFunc(s, name, func(f Sum, name string) int { return strings.Compare(f.Name, name) }); found {
		return s[i].SHA256
	}
	return ""
}

// Names lists the files.
func (s Sums) Names() []string {
	names := make([]string, len(s))
	for i := range s {
		names[i] = s[i].Name
	}
	return names
}

// Bounds of a library.
const (
	MaxFiles   = 1000
	MaxContent = 1 << 20  // of one file
	MaxTotal   = 16 << 20 // of all
	maxName    = 200
)

// CheckNames looks at the names of a library's files, which come from somebody else's
// repository and become paths below folders of this machine. They have to be sorted.
func CheckNames(names []string) (name, problem string) {
	if len(names) > MaxFiles {
		return names[MaxFiles], "a library has at most " + strconv.Itoa(MaxFiles) + " files"
	}
	folded := make(map[string]string, len(names))
	for _, name := range names {
		if problem := checkName(name); problem != "" {
			return name, problem
		}
		// A folder and a file, or two folders, can clash as well.
		for part := name; part != "."; part = path.Dir(part) {
			lower := strings.ToLower(part)
			if other, there := folded[lower]; there && other != part {
				return name, "on some file systems this is the same as " + other
			}
			folded[lower] = part
		}
	}
	return "", ""
}

func checkName(name string) string {
	switch {
	case name == "" || len(name) > maxName:
		return "the name is empty or longer than " + strconv.Itoa(maxName) + " bytes"
	case !utf8.ValidString(name) || !isText(name) || strings.ContainsAny(name, "\\:"):
		return "the name has characters that not all file systems take, or that cannot be shown"
	}
	for part := range strings.SplitSeq(name, "/") {
		switch {
		case part == "" || part == "." || part == "..":
			return "the path leads elsewhere"
		case strings.EqualFold(part, ".git"):
			return "git would take it for its own"
		case strings.HasSuffix(part, ".") || strings.HasSuffix(part, " "):
			return "the name ends in a dot or a space"
		}
	}
	return ""
}

// isHex tells whether s is a number of n hexadecimal digits as git and sha256sum
// print them.
func isHex(s string, n int) bool { return len(s) == n && strings.Trim(s, "0123456789abcdef") == "" }

// IsCommit tells whether s is the name of a commit in full.
func IsCommit(s string) bool { return isHex(s, 40) || isHex(s, 64) }
