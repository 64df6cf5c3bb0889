package sandbox

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of times in /proc/PID/stat: USER_HZ is 100 on every
// architecture (proc(5)).
const clockTick = 10 * time.Millisecond

// maxTree bounds the processes that treeTime looks at.
const maxTree = 10000

// treeTime is the processor time of a process and all its descendants, those that
// were waited for included: where there is no cgroup that counts it.
func treeTime(pid int) time.Duration {
	var total time.Duration
	todo := []int{pid}
	for n := 0; len(todo) > 0 && n < maxTree; n++ {
		p := todo[len(todo)-1]
		todo = append(todo[:len(todo)-1], children(p)...)
		total += processTime(p)
	}
	return total
}

func children(pid int) []int {
	dir := "/proc/" + strconv.Itoa(pid) + "/task/"
	threads, _ := os.ReadDir(dir)
	var pids []int
	for _, t := range threads {
		text, _ := os.ReadFile(dir + t.Name() + "/children")
		for _, field := range strings.Fields(string(text)) {
			if n, err := strconv.Atoi(field); err == nil {
				pids = append(pids, n)
			}
		}
	}
	return pids
}

// processTime is utime, stime, cutime and cstime: fields 14 to 17 of stat(5). The
// name before them may contain anything, so they are counted from the last ")".
func processTime(pid int) time.Duration {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	end := bytes.LastIndexByte(text, ')')
	if err != nil || end < 0 {
		return 0
	}
	fields := strings.Fields(string(text[end+1:]))
	var ticks int64
	for i := 11; i < 15 && i < len(fields); i++ {
		n, _ := strconv.ParseInt(fields[i], 10, 64)
		ticks += n
	}
	return time.Duration(ticks) * clockTick
}
