package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"sandbox/script/docs"
)

// stubFolder is where the types are, below the folder that an editor opens.
const stubFolder = ".sandbox/types"

// settingsFile is where the language server looks for its settings.
const settingsFile = ".luarc.json"

func (a *app) typesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "types [DIR]",
		Short: "Write what tells an editor the types of a recipe",
		Long: "Write " + stubFolder + " and .luarc.json below DIR, the current folder unless given: with them\n" +
			"the Lua language server (LuaLS) completes and checks recipes. A .luarc.json that is there\n" +
			"keeps its settings.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{"."}
			}
			return a.types(args[0])
		},
	}
}

func (a *app) types(dir string) error {
	settings, err := editorSettings(filepath.Join(dir, settingsFile))
	if err != nil {
		return err
	}
	if err := writeTypes(dir, settings); err != nil {
		return err
	}
	for _, name := range []string{filepath.Join(dir, settingsFile), filepath.Join(dir, stubFolder)} {
		if err := write(a.out, "wrote "+printable(name)+"\n"); err != nil {
			return err
		}
	}
	return nil
}

func writeTypes(dir string, settings []byte) error {
	stubs := docs.Stubs()
	if err := os.MkdirAll(filepath.Join(dir, stubFolder), 0o755); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(stubs)) {
		if err := os.WriteFile(filepath.Join(dir, stubFolder, name), []byte(stubs[name]), 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, settingsFile), settings, 0o644)
}

// editorSettings returns the settings of the language server: those that are there,
// and ours where there are none.
func editorSettings(path string) ([]byte, error) {
	settings := map[string]any{}
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	default:
		if err := json.Unmarshal(text, &settings); err != nil {
			return nil, &usageError{message: printable(path) + " is no plain JSON, and stays as it is: " + err.Error(),
				hint: "add \"" + stubFolder + "\" to its \"workspace.library\", or move it away"}
		}
	}
	if settings == nil { // the file says null
		settings = map[string]any{}
	}
	ours := map[string]any{
		"runtime.version": "Lua 5.1",
		"runtime.path":    []any{"?.lua"},
		// What recipes have not.
		"runtime.builtin": map[string]any{"io": "disable", "os": "disable", "debug": "disable", "bit": "disable", "bit32": "disable", "ffi": "disable", "jit": "disable", "utf8": "disable"},
	}
	for key, value := range ours {
		if settings[key] == nil {
			settings[key] = value
		}
	}
	library, _ := settings["workspace.library"].([]any)
	if !slices.Contains(library, any(stubFolder)) {
		settings["workspace.library"] = append(library, stubFolder)
	}
	out, err := json.MarshalIndent(settings, "", "  ")
	return append(out, '\n'), err
}
