package definition

// SeccompMode says where the payload's system call filter comes from.
type SeccompMode string

// The seccomp modes. Empty means SeccompDefault.
const (
	SeccompDefault SeccompMode = "default"
	SeccompNone    SeccompMode = "none"
	SeccompPolicy  SeccompMode = "policy"
)

// Seccomp is the payload's system call filter.
type Seccomp struct {
	Mode   SeccompMode `json:"mode,omitempty"`
	Policy *Policy     `json:"policy,omitempty"`
}

// Action is what a filter does with a system call (seccomp(2)).
type Action string

// The actions of a policy. Errno answers with the rule's Errno.
const (
	ActionAllow Action = "allow"
	ActionErrno Action = "errno"
	ActionKill  Action = "kill" // the whole process
	ActionLog   Action = "log"  // allowed, and logged by the kernel
	ActionTrap  Action = "trap" // SIGSYS
)

// Policy is a system call policy. The first rule of a call that holds decides; all
// arguments of a rule must hold. Calls newer than the policy answer ENOSYS, unless
// Default lets them through (allow, log).
type Policy struct {
	// Default is the action for a call that no rule names.
	Default Action `json:"default"`
	// Errno of a Default of ActionErrno, by name; empty means EPERM.
	Errno string       `json:"errno,omitempty"`
	Rules []PolicyRule `json:"rules,omitempty"`
}

// PolicyRule is what happens to some calls.
type PolicyRule struct {
	Names  []string `json:"names"`
	Action Action   `json:"action"`
	// Errno of ActionErrno, by name; empty means EPERM.
	Errno string      `json:"errno,omitempty"`
	Args  []PolicyArg `json:"args,omitempty"`
}

// PolicyArg compares one argument, in full 64 bits.
type PolicyArg struct {
	// Index is 0..5.
	Index uint `json:"index"`
	// Op is "==", "!=", "<", "<=", ">", ">=" or "masked" (argument & Mask == Value).
	Op    string `json:"op"`
	Value uint64 `json:"value"`
	Mask  uint64 `json:"mask,omitempty"`
}
