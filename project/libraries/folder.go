package libraries

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"sandbox/project"
)

// readFolder reads the library in a folder. What git keeps there is left out.
func readFolder(dir string) (tree, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	entries, err := listFolder(root)
	if err != nil {
		return nil, err
	}
	if err := bounded(entries); err != nil {
		return nil, err
	}
	t := make(tree, len(entries))
	for i, e := range entries {
		text, err := readRegular(root, e.name)
		if err != nil {
			return nil, err
		}
		t[i] = content{e.name, text}
	}
	return t, nil
}

func listFolder(root *os.Root) ([]entry, error) {
	var entries []entry
	err := fs.WalkDir(root.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.Name() == ".git" && e.IsDir():
			return fs.SkipDir
		case e.IsDir() || e.Name() == ".git":
			return nil
		case e.Type()&fs.ModeSymlink != 0:
			return fmt.Errorf("%s is a link; a library has regular files only", strconv.Quote(name))
		case !e.Type().IsRegular():
			return fmt.Errorf("%s is no regular file", strconv.Quote(name))
		case len(entries) > project.MaxFiles:
			return fmt.Errorf("a library has at most %d files", project.MaxFiles)
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		entries = append(entries, entry{name: name, size: info.Size()})
		return nil
	})
	return entries, err
}

// readRegular reads a file that may have become something else since it was listed.
func readRegular(root *os.Root, name string) ([]byte, error) {
	f, err := root.OpenFile(filepath.FromSlash(name), os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", strconv.Quote(name))
	}
	text, err := io.ReadAll(io.LimitReader(f, project.MaxContent+1))
	if err == nil && len(text) > project.MaxContent {
		err = fmt.Errorf("%s has more than %s", strconv.Quote(name), mebibytes(project.MaxContent))
	}
	return text, err
}

// sumFolder returns the sums of the library in a folder; none when there is no folder.
func sumFolder(dir string) (project.Sums, error) {
	t, err := readFolder(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return t.sums(), err
}
