package libraries

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"sandbox/project"
)

// repository is a git repository somewhere else, of which a folder of ours holds what
// was fetched. Nothing is ever checked out there.
type repository struct {
	url string
	git git
}

// openRepository makes the folder, below temporary ones; close removes it.
func openRepository(url, below string) (*repository, error) {
	if err := os.MkdirAll(below, 0o755); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(below, ".git-")
	if err != nil {
		return nil, err
	}
	return &repository{url, git{dir}}, nil
}

func (r *repository) close() { os.RemoveAll(r.git.dir) }

// refs are the tags and branches of a repository, with their commits.
type refs struct {
	tags, branches map[string]string
	head           string
}

func (r *repository) refs(ctx context.Context) (*refs, error) {
	out, err := r.git.run(ctx, nil, "ls-remote", "--quiet", "--", r.url)
	if err != nil {
		return nil, err
	}
	found := &refs{tags: map[string]string{}, branches: map[string]string{}}
	for line := range strings.Lines(string(out)) {
		id, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if !project.IsCommit(id) {
			continue
		}
		if name == "HEAD" {
			found.head = id
		}
		if tag, ok := strings.CutPrefix(name, "refs/tags/"); ok {
			// The commit of an annotated tag follows it, as tag^{}.
			found.tags[strings.TrimSuffix(tag, "^{}")] = id
		}
		if branch, ok := strings.CutPrefix(name, "refs/heads/"); ok {
			found.branches[branch] = id
		}
	}
	return found, nil
}

// choose finds what a wanted version means: a commit, a tag, the newest of the tags
// that begin so, a branch, or without any the newest release, else the default branch.
func (f *refs) choose(wanted string) (ref, commit string, err error) {
	var tags []string
	for tag := range f.tags {
		if project.IsVersion(tag) {
			tags = append(tags, tag)
		}
	}
	slices.Sort(tags)
	tag := project.NewestTag(tags, wanted)
	switch {
	case project.IsCommit(wanted):
		return wanted, wanted, nil
	case tag != "":
		return tag, f.tags[tag], nil
	case f.branches[wanted] != "":
		return wanted, f.branches[wanted], nil
	case wanted == "" && f.head != "":
		return "HEAD", f.head, nil
	case wanted == "":
		return "", "", errors.New("the repository is empty")
	}
	return "", "", &hinted{"there is no tag, branch or commit " + strconv.Quote(wanted), f.advice()}
}

// advice names what could be wanted.
func (f *refs) advice() string {
	var tags []string
	for tag := range f.tags {
		tags = append(tags, tag)
	}
	newest := project.NewestTag(tags, "")
	switch {
	case newest != "":
		return "the newest release is " + newest
	case len(f.branches) == 0:
		return "the repository is empty"
	}
	var branches []string
	for b := range f.branches {
		branches = append(branches, b)
	}
	slices.Sort(branches)
	return "there are no releases; branches are " + strings.Join(branches[:min(5, len(branches))], ", ")
}

// fetch gets one commit. A server that does not give away single commits has to give
// all of its branches and tags.
func (r *repository) fetch(ctx context.Context, commit string) error {
	format := "sha1"
	if len(commit) == 64 {
		format = "sha256"
	}
	if _, err := r.git.run(ctx, nil, "init", "--quiet", "--bare", "--template=", "--object-format="+format); err != nil {
		return err
	}
	plain := []string{"fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head"}
	_, err := r.git.run(ctx, nil, append(plain, "--depth=1", "--", r.url, commit)...)
	if err != nil && ctx.Err() == nil {
		_, err = r.git.run(ctx, nil, append(plain, "--", r.url, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")...)
	}
	if err != nil {
		return err
	}
	if _, err := r.git.run(ctx, nil, "cat-file", "-e", commit+"^{commit}"); err != nil {
		return fmt.Errorf("the repository has no commit %s", commit)
	}
	return nil
}

// read returns the files of a commit that was fetched.
func (r *repository) read(ctx context.Context, commit string) (tree, error) {
	out, err := r.git.run(ctx, nil, "ls-tree", "-r", "-z", "-l", "--full-tree", commit)
	if err != nil {
		return nil, err
	}
	var entries []entry
	for line := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		e, err := parseEntry(line)
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	if err := bounded(entries); err != nil {
		return nil, err
	}
	var ids strings.Builder
	for _, e := range entries {
		ids.WriteString(e.id + "\n")
	}
	blobs, err := r.git.run(ctx, []byte(ids.String()), "cat-file", "--batch")
	if err != nil {
		return nil, err
	}
	return parseBlobs(entries, blobs)
}

// parseEntry reads a line of ls-tree: mode, type, id, size, and the name after a tab.
// That a file can be executed does not count.
func parseEntry(line string) (entry, error) {
	about, name, _ := strings.Cut(line, "\t")
	fields := strings.Fields(about)
	if len(fields) != 4 {
		return entry{}, errors.New("the commit has no files")
	}
	switch fields[0] {
	case "100644", "100755", "100664":
	case "120000":
		return entry{}, fmt.Errorf("%s is a link; a library has regular files only", strconv.Quote(name))
	case "160000":
		return entry{}, fmt.Errorf("%s is a submodule; a library has all of its files itself", strconv.Quote(name))
	default:
		return entry{}, fmt.Errorf("%s has the mode %s; a library has regular files only", strconv.Quote(name), fields[0])
	}
	size, err := strconv.ParseInt(fields[3], 10, 64)
	return entry{name: name, size: size, id: fields[2]}, err
}

// parseBlobs reads what cat-file --batch prints: "id blob size", then the content.
func parseBlobs(entries []entry, blobs []byte) (tree, error) {
	t := make(tree, len(entries))
	for i, e := range entries {
		head, rest, _ := bytes.Cut(blobs, []byte("\n"))
		want := e.id + " blob " + strconv.FormatInt(e.size, 10)
		if string(head) != want || int64(len(rest)) <= e.size {
			return nil, fmt.Errorf("git cat-file gives %q, and not %q", head, want)
		}
		t[i] = content{e.name, rest[:e.size:e.size]}
		blobs = rest[e.size+1:]
	}
	return t, nil
}
