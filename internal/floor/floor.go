// Package floor says on which floor a package's tests stand. The lowest is -short:
// what can run anywhere, inside a container too. Tests that make namespaces, mounts
// and containers stand above it.
package floor

import (
	"flag"
	"fmt"
	"testing"
)

// Kernel runs the tests of a package that makes namespaces, and returns the exit
// code for os.Exit. Under -short it runs none and says so. It is for TestMain.
func Kernel(m *testing.M) int {
	flag.Parse()
	if testing.Short() {
		fmt.Println("left out by -short: these tests make namespaces")
		return 0
	}
	return m.Run()
}
