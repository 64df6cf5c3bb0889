package project

import (
	"slices"
	"strconv"
	"strings"
)

// Lock is a sandbox.lock.
type Lock struct{ Libraries []Locked }

// Locked is one library as it was when it was added or updated.
type Locked struct {
	Name string
	// Version is what its manifest says.
	Version string
	// Path or Git are as in sandbox.toml.
	Path, Git string
	// Ref is the tag, branch or commit that was chosen, and Commit what it was then.
	Ref, Commit string
	// Sandbox is the oldest release that the library works with; empty means any.
	Sandbox string
	// Needs are what it reaches beyond the project.
	Needs []Grant
	// Digest is that of Files.
	Digest string
	Files  Sums
	Line   int
}

// ID names a library and its version: "greet@1.2.0".
func (l *Locked) ID() string { return l.Name + "@" + l.Version }

// Folder is the name of its folder among those that were fetched.
func (l *Locked) Folder() string { return strings.TrimPrefix(l.Digest, digestPrefix) }

// Runs tells whether this release is new enough for the library.
func (l *Locked) Runs() bool { return runs(l.Sandbox) }

// Pins tells whether this is what sandbox.toml asks for.
func (l *Locked) Pins(s *Source) bool {
	return l.Path == s.Path && l.Git == s.Git && (s.Git == "" || Takes(s.Version, l.Ref))
}

// Agrees tells whether the entry says what the library's manifest does: the lock is what
// people review, and the manifest what the digest covers.
func (l *Locked) Agrees(m *Manifest) bool {
	return l.Version == m.Version && l.Sandbox == m.Sandbox &&
		slices.EqualFunc(l.Needs, m.Needs, func(a, b Grant) bool { return a.String() == b.String() })
}

// Find returns the library with a name, or nil.
func (l *Lock) Find(name string) *Locked {
	for i := range l.Libraries {
		if l.Libraries[i].Name == name {
			return &l.Libraries[i]
		}
	}
	return nil
}

// Put adds a library, or replaces the one of its name.
func (l *Lock) Put(entry Locked) {
	l.Remove(entry.Name)
	l.Libraries = append(l.Libraries, entry)
	slices.SortFunc(l.Libraries, func(a, b Locked) int { return strings.Compare(a.Name, b.Name) })
}

// Remove takes out the library with a name.
func (l *Lock) Remove(name string) {
	l.Libraries = slices.DeleteFunc(l.Libraries, func(e Locked) bool { return e.Name == name })
}

// lockFormat is the first line's number; another one is of another release.
const lockFormat = "1"

const lockHead = "# Written by \"sandbox lib\": what the libraries of " + FileName + " were when they were added or\n" +
	"# updated. Keep it with the project. files are as sha256sum prints them, digest is the\n" +
	"# sha256sum of those lines.\n" +
	"lock = " + lockFormat + "\n"

// Format writes the lock: the same libraries give the same text, a file a line.
func (l *Lock) Format() []byte {
	var b strings.Builder
	b.WriteString(lockHead)
	for i := range l.Libraries {
		e := &l.Libraries[i]
		b.WriteString("\n[[library]]\n")
		for _, pair := range [...][2]string{{"name", e.Name}, {"version", e.Version}, {"path", e.Path}, {"git", e.Git},
			{"ref", e.Ref}, {"commit", e.Commit}, {"sandbox", e.Sandbox}, {"digest", e.Digest}} {
			if pair[1] != "" {
				b.WriteString(pair[0] + " = " + Quote(pair[1]) + "\n")
			}
		}
		if len(e.Needs) > 0 {
			needs := make([]string, len(e.Needs))
			for i, g := range e.Needs {
				needs[i] = Quote(g.String())
			}
			b.WriteString("needs = [" + strings.Join(needs, ", ") + "]\n")
		}
		b.WriteString("files = [\n")
		for _, f := range e.Files {
			b.WriteString("  " + Quote(f.line()) + ",\n")
		}
		b.WriteString("]\n")
	}
	return []byte(b.String())
}

// Quote writes a string of TOML. What is written has no control characters: quotes and
// backslashes are all there is to escape.
func Quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

const lockHint = "delete it and run `sandbox lib update`"

var lockedKeys = []string{"name", "version", "path", "git", "ref", "commit", "sandbox", "needs", "digest", "files"}

// ParseLock reads a sandbox.lock; shown is its name in messages. It may come from
// somebody else: names in it are fit to be names on the disk.
func ParseLock(shown string, text []byte) (*Lock, error) {
	r := reader{file: shown}
	lock := &Lock{}
	doc := r.parse(text, lockHint)
	if len(r.problems) > 0 {
		return nil, r.err()
	}
	format := doc.find("lock")
	if format == nil || format.value.text != lockFormat {
		r.problem(1, "", "it does not begin with lock = "+lockFormat, "it may be of another release of sandbox; or "+lockHint)
		return nil, r.err()
	}
	for _, f := range doc.fields {
		switch {
		case f.name == "lock":
		case f.name != "library":
			r.unknown(&f, "", []string{"lock", "library"})
		case f.value.kind != kindList:
			r.wanted(f.name, &f.value, "[[library]]", "")
		default:
			for i := range f.value.items {
				lock.Libraries = append(lock.Libraries, r.locked(&f.value.items[i]))
			}
		}
	}
	return lock, r.err()
}

func (r *reader) locked(v *value) Locked {
	e := Locked{Line: v.line}
	for _, f := range r.table("library", v, "").fields {
		switch at, v := f.name, &f.value; at {
		case "name":
			e.Name = r.libraryName(at, v)
		case "version":
			e.Version = r.semver(at, v)
		case "path":
			e.Path = r.folder(at, v)
		case "git":
			e.Git = r.url(at, v)
		case "ref":
			e.Ref = r.version(at, v)
		case "commit":
			e.Commit = r.matching(at, v, IsCommit)
		case "sandbox":
			e.Sandbox = r.minimum(at, v)
		case "needs":
			e.Needs = r.grants(at, v)
		case "digest":
			e.Digest = r.matching(at, v, func(s string) bool { return strings.HasPrefix(s, digestPrefix) && isHex(s[len(digestPrefix):], 64) })
		case "files":
			e.Files = r.files(at, v)
		default:
			r.unknown(&f, "library", lockedKeys)
		}
	}
	r.whole(&e)
	return e
}

func (r *reader) matching(at string, v *value, fits func(string) bool) string {
	text := r.text(at, v)
	if text != "" && !fits(text) {
		r.problem(v.line, at, strconv.Quote(text)+" is no "+at, lockHint)
	}
	return text
}

// whole looks at an entry as a whole.
func (r *reader) whole(e *Locked) {
	switch {
	case len(r.problems) > 0:
	case e.Name == "" || e.Version == "" || e.Digest == "" || len(e.Files) == 0:
		r.problem(e.Line, "library", "the name, the version, the digest or the files are missing", lockHint)
	case (e.Path == "") == (e.Git == "") || e.Git != "" && (e.Ref == "" || e.Commit == ""):
		r.problem(e.Line, "library", "it has neither a path nor git with ref and commit", lockHint)
	case e.Files.Find(ManifestName) == "" || e.Files.Find(EntryName) == "":
		r.problem(e.Line, "library", e.Name+" has no "+ManifestName+" or no "+EntryName, lockHint)
	case e.Files.Digest() != e.Digest:
		r.problem(e.Line, "library", "the digest of "+e.Name+" is not that of its files", "a merge may have mixed two versions: "+lockHint)
	}
}

func (r *reader) files(at string, v *value) Sums {
	var sums Sums
	for _, item := range r.texts(at, v) {
		sum, name, found := strings.Cut(item.text, "  ")
		if !found || !isHex(sum, 64) || len(sums) > 0 && sums[len(sums)-1].Name >= name {
			r.problem(item.line, at, strconv.Quote(item.text)+" is no line of sha256sum, or stands in the wrong place", lockHint)
			continue
		}
		sums = append(sums, Sum{Name: name, SHA256: sum})
	}
	if name, problem := CheckNames(sums.Names()); problem != "" {
		r.problem(v.line, at, strconv.Quote(name)+": "+problem, lockHint)
	}
	return sums
}
