package mount

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// User is a user of a container.
type User struct {
	UID, GID uint32
	Groups   []uint32
	// Home is the home folder of the entry in /etc/passwd, or "".
	Home string
}

// LookupUser looks up "name", "name:group", "uid" or "uid:gid", and supplementary
// groups by name or number, in the container's /etc/passwd and /etc/group
// (passwd(5), group(5)). Whatever is not plainly valid is an error (CVE-2026-30892):
// a name without an entry, a malformed entry, a uid other than 0 without an entry
// and without a group. Groups are those given, and no others.
func (r *Root) LookupUser(user string, groups []string) (User, error) {
	db := userDB{root: r}
	name, group, grouped := strings.Cut(user, ":")
	u, err := db.user(name, grouped)
	if err == nil && grouped {
		u.GID, err = db.group(group)
	}
	if err != nil {
		return User{}, fmt.Errorf("user %q: %w", user, err)
	}
	for _, g := range groups {
		gid, err := db.group(g)
		if err != nil {
			return User{}, fmt.Errorf("supplementary group %q: %w", g, err)
		}
		u.Groups = append(u.Groups, gid)
	}
	return u, nil
}

type userDB struct{ root *Root }

// lines are the entries of a file, none where it is missing.
func (db userDB) lines(name string) ([]string, error) {
	b, err := db.root.Read(name)
	if errors.Is(err, unix.ENOENT) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if strings.IndexByte(string(b), 0) >= 0 {
		return nil, fmt.Errorf("%s of the container has a NUL byte", name)
	}
	return strings.Split(string(b), "\n"), nil
}

// find returns the first entry of n fields for which match holds.
func (db userDB) find(file string, n int, match func(fields []string) bool) ([]string, error) {
	lines, err := db.lines(file)
	if err != nil {
		return nil, err
	}
	for _, line := range lines {
		fields := strings.Split(line, ":")
		if len(fields) < 3 || strings.HasPrefix(line, "#") || !match(fields) {
			continue
		}
		if len(fields) != n {
			return nil, fmt.Errorf("its entry in %s of the container has %d fields, not %d", file, len(fields), n)
		}
		return fields, nil
	}
	return nil, nil
}

func (db userDB) user(name string, grouped bool) (User, error) {
	uid, numeric, err := number(name)
	if err != nil {
		return User{}, err
	}
	field := 0
	if numeric {
		field, name = 2, strconv.FormatUint(uint64(uid), 10)
	}
	fields, err := db.find("/etc/passwd", 7, func(f []string) bool { return f[field] == name })
	switch {
	case err != nil:
		return User{}, err
	case fields != nil:
	case numeric && (grouped || uid == 0):
		return User{UID: uid}, nil
	case numeric:
		return User{}, fmt.Errorf("no entry in /etc/passwd of the container says its group; write \"%s:%s\"", name, name)
	default:
		return User{}, errors.New("no such entry in /etc/passwd of the container")
	}
	u := User{Home: fields[5]}
	if u.UID, err = id(fields[2]); err == nil {
		u.GID, err = id(fields[3])
	}
	if err != nil {
		return User{}, fmt.Errorf("its entry in /etc/passwd of the container: %w", err)
	}
	return u, nil
}

func (db userDB) group(name string) (uint32, error) {
	gid, numeric, err := number(name)
	if err != nil || numeric {
		return gid, err
	}
	fields, err := db.find("/etc/group", 4, func(f []string) bool { return f[0] == name })
	if err != nil {
		return 0, err
	}
	if fields == nil {
		return 0, fmt.Errorf("no group %q in /etc/group of the container", name)
	}
	if gid, err = id(fields[2]); err != nil {
		return 0, fmt.Errorf("the entry of %q in /etc/group of the container: %w", name, err)
	}
	return gid, nil
}

// number tells a numeric id from a name. What begins like a number and is none is
// neither.
func number(s string) (uint32, bool, error) {
	if s == "" {
		return 0, false, errors.New("an empty name")
	}
	if strings.ContainsAny(s, ":\n\x00 \t/") {
		return 0, false, errors.New("a character that no name has")
	}
	if s[0] != '-' && s[0] != '+' && (s[0] < '0' || s[0] > '9') {
		return 0, false, nil
	}
	n, err := id(s)
	return n, true, err
}

// id is a decimal number below 4294967295, which means "none" to the kernel.
func id(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || n == 1<<32-1 || s[0] == '+' || (s[0] == '0' && s != "0") {
		return 0, fmt.Errorf("%q is not an id: a decimal number from 0 to 4294967294", s)
	}
	return uint32(n), nil
}
