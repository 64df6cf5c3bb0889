package sandbox

import (
	"encoding/json"
	"strconv"
	"time"

	"sandbox/sandbox/cgroups"
)

// encode is json.Marshal of the record. The plain case, which every start pays for,
// is written here: the reflection of encoding/json costs 0.15 ms the first time.
func (r *stateRecord) encode() ([]byte, error) {
	if len(r.Poststop) > 0 || len(r.Data) > 0 || !r.plain() {
		return json.Marshal(r)
	}
	b := make([]byte, 0, 512)
	b = append(b, `{"version":`...)
	b = strconv.AppendInt(b, int64(r.Version), 10)
	b = appendText(b, "id", r.ID)
	b = appendText(b, "name", r.Name)
	b = appendInt(b, "uid", r.UID)
	b = appendInt(b, "supervisor", r.Supervisor)
	b = append(b, `,"created":"`...)
	b = r.Created.AppendFormat(b, time.RFC3339Nano)
	b = append(b, '"')
	b = appendText(b, "status", r.Status)
	if r.PID != 0 {
		b = appendInt(b, "pid", r.PID)
	}
	if r.Cgroup != nil {
		b = append(b, `,"cgroup":`...)
		b = appendCgroup(b, r.Cgroup)
	}
	return append(b, '}'), nil
}

// plain reports whether no text of the record needs escaping.
func (r *stateRecord) plain() bool {
	ok := plainText(r.ID) && plainText(r.Name) && plainText(r.Status)
	if c := r.Cgroup; c != nil {
		ok = ok && plainText(c.ID) && !c.Leaf && len(c.Enable) == 0
		for _, d := range c.Dirs {
			ok = ok && plainText(d.Parent) && len(d.Controllers) == 0
		}
	}
	return ok
}

func plainText(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return false
		}
	}
	return true
}

func appendCgroup(b []byte, c *cgroups.Record) []byte {
	b = append(b, `{"id":"`...)
	b = append(b, c.ID...)
	b = append(b, '"')
	for i, d := range c.Dirs {
		if i == 0 {
			b = append(b, `,"dirs":[`...)
		} else {
			b = append(b, ',')
		}
		b = append(b, `{"version":`...)
		b = strconv.AppendInt(b, int64(d.Version), 10)
		b = appendText(b, "parent", d.Parent)
		b = append(b, '}')
	}
	if len(c.Dirs) > 0 {
		b = append(b, ']')
	}
	return append(b, '}')
}

// appendText adds a member, unless it is empty.
func appendText(b []byte, key, value string) []byte {
	if value == "" {
		return b
	}
	b = append(b, `,"`...)
	b = append(b, key...)
	b = append(b, `":"`...)
	b = append(b, value...)
	return append(b, '"')
}

func appendInt(b []byte, key string, value int) []byte {
	b = append(b, `,"`...)
	b = append(b, key...)
	b = append(b, `":`...)
	return strconv.AppendInt(b, int64(value), 10)
}
