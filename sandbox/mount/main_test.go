package mount

import (
	"os"
	"testing"

	"sandbox/internal/floor"
)

func TestMain(m *testing.M) { os.Exit(floor.Kernel(m)) }
