package main

import (
	"context"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/project"
	"sandbox/project/libraries"
	"sandbox/recipes"
	"sandbox/script"
)

// openLibraries opens the project of the current folder.
func openLibraries() (*libraries.Project, error) {
	f, dir, err := readProject(".")
	switch {
	case err != nil:
		return nil, err
	case f == nil:
		return nil, &usageError{message: "there is no project here: no " + project.FileName + " in this folder or above it", hint: "`sandbox new` makes one; an empty " + project.FileName + " will do"}
	}
	p, err := libraries.Open(dir, fetched(), f.Shown)
	if err != nil {
		return nil, err
	}
	p.Taken = func(name string) string { return taken(dir, name) }
	return p, nil
}

// taken says what else require would find by a name.
func taken(dir, name string) string {
	if script.Reserved(name) {
		return "a module of the standard library"
	}
	if _, err := fs.Stat(recipes.Library(), name+".lua"); err == nil {
		return "an embedded library"
	}
	if _, err := os.Lstat(filepath.Join(dir, name+".lua")); err == nil {
		return name + ".lua, a file of the project,"
	}
	return ""
}

// fetching is the context of what may take long: a signal ends it, and what was begun
// is removed.
func fetching() (context.Context, func()) {
	return signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
}

func (a *app) libAdd(word, as string) error {
	p, err := openLibraries()
	if err != nil {
		return err
	}
	s, err := parseSource(p.Dir, word)
	if err != nil {
		return err
	}
	if s.Name = as; as != "" && !project.IsName(as) {
		return &usageError{message: quote(as) + " is no name of a library", hint: "use small letters, digits, - and _, beginning with a letter"}
	}
	ctx, stop := fetching()
	defer stop()
	found, err := p.Add(ctx, s)
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("added " + describeLibrary(&found.Locked) + "\n")
	b.WriteString(manifestText(found.Manifest, p.File.Grants))
	b.WriteString(notesText(found.Notes))
	b.WriteString("  use it with: local " + luaName(found.Name) + " = require " + quote(found.Name) + "\n")
	return write(a.out, b.String())
}

// parseSource reads FOLDER or ADDRESS[@VERSION]. Folders are noted as seen from the
// project.
func parseSource(dir, word string) (project.Source, error) {
	address, version := project.SplitVersion(word)
	remote, problem, hint := project.ParseURL(address)
	switch {
	case strings.HasPrefix(word, "-"):
		return project.Source{}, &usageError{message: quote(word) + " is neither a folder nor an address: " + problem}
	case remote && problem != "":
		return project.Source{}, &usageError{message: quote(address) + " is no address of a repository: " + problem, hint: hint}
	case remote && version != "" && !project.IsVersion(version):
		return project.Source{}, &usageError{message: quote(version) + " is no version", hint: "a tag like v1.2.0, the beginning of one like v1, a branch, or a commit in full"}
	case remote:
		return project.Source{Git: address, Version: version}, nil
	case filepath.IsAbs(word):
		return project.Source{Path: filepath.Clean(word)}, nil
	}
	full, err := filepath.Abs(word)
	if err != nil {
		return project.Source{}, err
	}
	return project.Source{Path: relative(dir, full)}, nil
}

func (a *app) libUpdate(words []string) error {
	p, err := openLibraries()
	if err != nil {
		return err
	}
	var wants []libraries.Want
	for _, word := range words {
		name, version := project.SplitVersion(word)
		if version != "" && !project.IsVersion(version) {
			return &usageError{message: quote(version) + " is no version"}
		}
		wants = append(wants, libraries.Want{Name: name, Version: version})
	}
	ctx, stop := fetching()
	defer stop()
	changes, err := p.Update(ctx, wants)
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, c := range changes {
		b.WriteString(changeText(c, p.File.Grants))
	}
	return write(a.out, b.String())
}

func (a *app) libFetch() error {
	p, err := openLibraries()
	if err != nil {
		return err
	}
	ctx, stop := fetching()
	defer stop()
	got, err := p.Fetch(ctx)
	var b strings.Builder
	for _, e := range got {
		b.WriteString("fetched " + describeLibrary(e) + "\n")
	}
	if len(got) == 0 && err == nil {
		b.WriteString("all libraries are here\n")
	}
	if wrote := write(a.out, b.String()); err == nil {
		err = wrote
	}
	return err
}

func (a *app) libVendor() error {
	p, err := openLibraries()
	if err != nil {
		return err
	}
	ctx, stop := fetching()
	defer stop()
	if err := p.Vendor(ctx); err != nil {
		return err
	}
	var b strings.Builder
	for i := range p.Lock.Libraries {
		e := &p.Lock.Libraries[i]
		b.WriteString("copied " + e.ID() + " to " + project.VendorDir + "/" + e.Name + "\n")
	}
	if b.Len() == 0 {
		b.WriteString("the project has no libraries\n")
	}
	return write(a.out, b.String())
}

func (a *app) libRemove(name string) error {
	p, err := openLibraries()
	if err != nil {
		return err
	}
	if err := p.Remove(name); err != nil {
		return err
	}
	return write(a.out, "removed "+name+"\n")
}
