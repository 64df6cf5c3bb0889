package sandbox

import (
	"io"
	"os"
	"strings"
)

// tailBytes is how much of a log's end is looked at for its last lines.
const tailBytes = 16 << 10

// lastLines are the last lines of a log that has been closed.
func (l *serviceLog) lastLines() []string {
	f, err := os.Open(l.path)
	if err != nil {
		return nil
	}
	defer f.Close()
	text, err := io.ReadAll(io.NewSectionReader(f, max(0, l.size-tailBytes), tailBytes))
	if err != nil || len(text) == 0 {
		return nil
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	return lines[max(0, len(lines)-shownLines):]
}
