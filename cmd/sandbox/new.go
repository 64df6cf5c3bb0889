package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"sandbox/project"
	"sandbox/templates"
)

func (a *app) newCommand() *cobra.Command {
	rows := [][2]string{}
	for _, name := range templates.Names() {
		if t, err := templates.Find(name); err == nil {
			rows = append(rows, [2]string{name, t.About})
		}
	}
	return &cobra.Command{
		Use:   "new [TEMPLATE] [FOLDER]",
		Short: "Make a project that runs at once",
		Long: "Make a project in FOLDER, the current one unless told: a recipe, sandbox.toml, a few\n" +
			"lines about them, and types for editors. In a folder that has nothing to build yet, an\n" +
			"example comes with it. No file is overwritten. The template is minimal unless told.\n\nTemplates:\n" + columns(rows),
		Example: "  sandbox new go shop && cd shop && sandbox run",
		Args:    cobra.ArbitraryArgs,
		RunE:    func(_ *cobra.Command, args []string) error { return a.newProject(args) },
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveFilterDirs
			}
			return templates.Names(), cobra.ShellCompDirectiveNoFileComp
		},
	}
}

func (a *app) newProject(args []string) error {
	name, dir := "minimal", "."
	switch len(args) {
	case 0:
	case 1:
		name = args[0]
	case 2:
		name, dir = args[0], args[1]
	default:
		return &usageError{message: "unexpected argument " + quote(args[2]), hint: "sandbox new [TEMPLATE] [FOLDER]"}
	}
	t, err := templates.Find(name)
	if err != nil {
		return noTemplate(name)
	}
	s := scaffold{dir: filepath.Clean(dir)}
	if err := s.prepare(t); err != nil {
		return err
	}
	err = s.make()
	if wrote := write(a.out, strings.Join(s.said, "")); err == nil {
		err = wrote
	}
	return err
}

func noTemplate(name string) error {
	if strings.Contains(name, "/") {
		return &usageError{message: quote(name) + " is no template", hint: "the template comes first: sandbox new minimal " + name}
	}
	return unknown("template", name, templates.Names())
}

// scaffold is a project being made.
type scaffold struct {
	dir   string
	files []templates.File
	types []byte   // the editor's settings, for the stubs
	left  bool     // the folder has files of its own, so there is no example
	said  []string // lines for the user
}

func (s *scaffold) say(line string) { s.said = append(s.said, printable(line)+"\n") }

func (s *scaffold) path(name string) string { return filepath.Join(s.dir, name) }

// prepare decides what is to be made, and looks whether it can be.
func (s *scaffold) prepare(t *templates.Template) error {
	full, err := filepath.Abs(s.dir)
	if err != nil {
		return err
	}
	empty, err := isEmpty(s.dir)
	if err != nil {
		return err
	}
	s.left = !empty
	var there []string
	for _, name := range []string{settingsFile, filepath.Dir(stubFolder), stubFolder} {
		if info, err := os.Lstat(s.path(name)); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			there = append(there, printable(s.path(name)))
		}
	}
	if s.types, err = editorSettings(s.path(settingsFile)); err != nil {
		return err
	}
	for _, f := range t.For(projectName(filepath.Base(full)), empty) {
		_, err := os.Lstat(s.path(f.Name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			s.files = append(s.files, f)
		case err != nil:
			return err
		case f.Name == ".gitignore" || f.Name == "README.md":
			s.files = append(s.files, f) // completed, or left
		default:
			there = append(there, printable(s.path(f.Name)))
		}
	}
	if len(there) > 0 {
		return &usageError{message: strings.Join(there, ", ") + ": there already, and nothing is overwritten",
			hint: "move it away, or name another folder: sandbox new " + t.Name + " FOLDER"}
	}
	return nil
}

// make writes the files, and says what it does.
func (s *scaffold) make() error {
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return err
	}
	for _, f := range s.files {
		if err := s.write(f); err != nil {
			return err
		}
	}
	if err := writeTypes(s.dir, s.types); err != nil {
		return err
	}
	s.say("made " + s.path(settingsFile) + " and " + s.path(stubFolder) + ", for editors")
	if s.left {
		s.say("no example was added: the folder has files of its own")
	}
	next := "next: sandbox run"
	if s.dir != "." {
		next = "next: cd " + s.dir + " && sandbox run"
	}
	s.say(next)
	return nil
}

// write makes one file. Two are likely to be there: .gitignore is completed, README.md
// is left.
func (s *scaffold) write(f templates.File) error {
	file, err := os.OpenFile(s.path(f.Name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	switch {
	case errors.Is(err, fs.ErrExist) && f.Name == ".gitignore" && s.isRegular(f.Name):
		return s.ignore(f)
	case errors.Is(err, fs.ErrExist): // all others were looked for
		s.say("left " + s.path(f.Name) + " as it is")
		return nil
	case err != nil:
		return err
	}
	_, err = file.WriteString(f.Text)
	s.say("made " + s.path(f.Name))
	return errors.Join(err, file.Close())
}

// isRegular tells a file from a link, which may lead out of the folder.
func (s *scaffold) isRegular(name string) bool {
	info, err := os.Lstat(s.path(name))
	return err == nil && info.Mode().IsRegular()
}

// ignore adds the lines that a .gitignore does not have.
func (s *scaffold) ignore(f templates.File) error {
	text, err := project.Read(s.path(f.Name))
	if err != nil {
		return err
	}
	has := strings.Split(string(text), "\n")
	var more string
	for line := range strings.Lines(f.Text) {
		if line = strings.TrimSpace(line); !slices.Contains(has, line) {
			more += line + "\n"
			s.say("added " + line + " to " + s.path(f.Name))
		}
	}
	if len(text) > 0 && has[len(has)-1] != "" {
		more = "\n" + more
	}
	file, err := os.OpenFile(s.path(f.Name), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString(more)
	return errors.Join(err, file.Close())
}

// projectName makes a name of a folder's.
func projectName(folder string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' || r == '-' {
			return r
		}
		return '-'
	}, strings.ToLower(folder))
	name = strings.Trim(name[:min(len(name), 40)], "-_")
	if !project.IsName(name) {
		return "project"
	}
	return name
}

// isEmpty tells whether a folder has nothing to build: nothing but what stands in any
// repository.
func isEmpty(dir string) (bool, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	for _, e := range entries {
		name := strings.ToLower(e.Name())
		if !strings.HasPrefix(name, ".") && !strings.HasPrefix(name, "readme") && !strings.HasPrefix(name, "license") {
			return false, nil
		}
	}
	return true, nil
}
