// Package vm runs one Lua 5.1 program in one virtual machine and keeps it within
// bounds. It wraps gopher-lua and trusts it with nothing: files are parsed, their
// syntax tree is rewritten (origins, freezing, bounded strings), compiled, and the
// compiled code is searched for undeclared globals before anything runs; the
// libraries a program sees are this package's own.
//
// A VM has one context from birth to death, because a coroutine keeps the context
// it was made under: whatever ends the context ends the VM for good. A VM belongs
// to one goroutine at a time; only Kill and Within's timer may come from others.
//
// What a program says is judged by others: this package knows Lua, tables, lines
// and limits, and nothing of containers.
package vm
