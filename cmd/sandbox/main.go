// Command sandbox runs containers whose definitions are Lua programs.
//
//	sandbox run [RECIPE] [flags of the recipe] [-- command…]
//	sandbox plan [RECIPE]     what would be done, step by step
//	sandbox check [RECIPE…]   whether recipes load and are valid
//	sandbox new [TEMPLATE]    a project that runs at once
//	sandbox lib …             the libraries of a project
//	sandbox docs [NAME]       what a recipe can say
//	sandbox types [DIR]       types of that, for an editor
//	sandbox doctor            what this machine can do
//
// A RECIPE is a Lua file (its name has a "/" or ends in .lua) or the name of an
// embedded recipe; without one, that of the project is meant. README.md shows the start,
// ARCHITECTURE.md the inside.
package main

import "os"

func main() {
	a := &app{out: os.Stdout, ui: newUI(os.Stderr)}
	os.Exit(a.execute(os.Args[1:]))
}
