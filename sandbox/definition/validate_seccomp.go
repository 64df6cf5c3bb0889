package definition

import (
	"strings"
)

// Validate returns what is wrong with the filter; paths start with "seccomp". Names
// of calls are checked when the policy is compiled.
func (s Seccomp) Validate() Problems {
	var ps Problems
	switch s.Mode {
	case "", SeccompDefault, SeccompNone:
		if s.Policy != nil {
			ps.add("seccomp", "the mode %q has a policy", string(s.Mode))
		}
	case SeccompPolicy:
		if s.Policy == nil {
			ps.add("seccomp", "the policy is missing")
			break
		}
		ps.action("seccomp", "default", s.Policy.Default, s.Policy.Errno)
		for i := range s.Policy.Rules {
			ps.rule(Item("seccomp.rules", i+1), &s.Policy.Rules[i])
		}
	default:
		ps.hint("seccomp", `"default", "none" or a policy`, "there is no mode %s", clip(string(s.Mode)))
	}
	return ps
}

func (ps *Problems) action(path, key string, a Action, errno string) {
	at := path + "." + key
	switch a {
	case ActionErrno:
		if errno != "" && !errnoName(errno) {
			ps.hint(path+".errno", "errno(3) lists them", "there is no error %s", clip(errno))
		}
		return
	case ActionAllow, ActionKill, ActionLog, ActionTrap:
	case "":
		ps.hint(at, "allow, errno, kill, log or trap", "the action is missing")
	default:
		ps.hint(at, "allow, errno, kill, log or trap", "there is no action %s", clip(string(a)))
	}
	if errno != "" {
		ps.add(path+".errno", "an error goes with the action \"errno\" only")
	}
}

func (ps *Problems) rule(path string, r *PolicyRule) {
	if len(r.Names) == 0 {
		ps.hint(path, `{ "read", "write", action = "allow" }`, "the rule names no system call")
	}
	for _, n := range r.Names {
		if n == "" || len(n) > 64 || strings.Trim(n, "abcdefghijklmnopqrstuvwxyz_"+digits) != "" {
			ps.add(path, "%s is no name of a system call", clip(n))
		}
	}
	ps.action(path, "action", r.Action, r.Errno)
	for i, a := range r.Args {
		at := Item(path+".args", i+1)
		if a.Index > 5 {
			ps.add(at+".index", "a system call has the arguments 0..5, not %d", a.Index)
		}
		switch a.Op {
		case "==", "!=", "<", "<=", ">", ">=":
			if a.Mask != 0 {
				ps.hint(at+".mask", `op = "masked"`, "a mask goes with the operator \"masked\" only")
			}
		case "masked":
			if a.Value&^a.Mask != 0 {
				ps.add(at, "the rule never holds: value has bits that mask has not")
			}
		default:
			ps.hint(at+".op", "==, !=, <, <=, >, >= or masked", "there is no operator %s", clip(a.Op))
		}
	}
}

// errnos are the names of errno(3) on Linux.
const errnos = " E2BIG EACCES EADDRINUSE EADDRNOTAVAIL EADV EAFNOSUPPORT EAGAIN EALREADY EBADE EBADF EBADFD EBADMSG EBADR " +
	"EBADRQC EBADSLT EBFONT EBUSY ECANCELED ECHILD ECHRNG ECOMM ECONNABORTED ECONNREFUSED ECONNRESET EDEADLK EDEADLOCK " +
	"EDESTADDRREQ EDOM EDOTDOT EDQUOT EEXIST EFAULT EFBIG EHOSTDOWN EHOSTUNREACH EHWPOISON EIDRM EILSEQ EINPROGRESS EINTR " +
	"EINVAL EIO EISCONN EISDIR EISNAM EKEYEXPIRED EKEYREJECTED EKEYREVOKED EL2HLT EL2NSYNC EL3HLT EL3RST ELIBACC ELIBBAD " +
	"ELIBEXEC ELIBMAX ELIBSCN ELNRNG ELOOP EMEDIUMTYPE EMFILE EMLINK EMSGSIZE EMULTIHOP ENAMETOOLONG ENAVAIL ENETDOWN " +
	"ENETRESET ENETUNREACH ENFILE ENOANO ENOBUFS ENOCSI ENODATA ENODEV ENOENT ENOEXEC ENOKEY ENOLCK ENOLINK ENOMEDIUM " +
	"ENOMEM ENOMSG ENONET ENOPKG ENOPROTOOPT ENOSPC ENOSR ENOSTR ENOSYS ENOTBLK ENOTCONN ENOTDIR ENOTEMPTY ENOTNAM " +
	"ENOTRECOVERABLE ENOTSOCK ENOTSUP ENOTTY ENOTUNIQ ENXIO EOPNOTSUPP EOVERFLOW EOWNERDEAD EPERM EPFNOSUPPORT EPIPE EPROTO " +
	"EPROTONOSUPPORT EPROTOTYPE ERANGE EREMCHG EREMOTE EREMOTEIO ERESTART ERFKILL EROFS ESHUTDOWN ESOCKTNOSUPPORT ESPIPE " +
	"ESRCH ESRMNT ESTALE ESTRPIPE ETIME ETIMEDOUT ETOOMANYREFS ETXTBSY EUCLEAN EUNATCH EUSERS EWOULDBLOCK EXDEV EXFULL "

func errnoName(s string) bool {
	return !strings.Contains(s, " ") && strings.Contains(errnos, " "+s+" ")
}
