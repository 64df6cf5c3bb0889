/* The container's init, until execve and, as PID 1, after it: a machine that runs flat lists of
 * system calls which the supervisor prepared and sends. It decides nothing. See program.go for the
 * format. Freestanding: no libc, no stack protector, no relocations. */

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

enum { SOCKET = 3, PROGRAM = 5, FILES = 253, MAGIC = 0x31786273, EINTR = 4 };
enum { JUMP = 0xfffffff0, TEST = 0xfffffff1, COUNT = 0xfffffff2, NEXT = 0xfffffff3 };
enum { IMM, ADDR, WORD, LONG };
enum { NONE = 0xffff, NOSTORE = 0xffffffff };
enum { NOTE = 1, FAIL = 2 };

struct head { u32 magic, size, ops, relocs, memory, pad[3]; };
struct reloc { u32 at, to; };
struct op {
	u32 nr;
	u16 other, next, err1, err2;
	u8 kind[6];
	u16 note;
	u32 store;
	u64 arg[6];
};

#if defined(__x86_64__)
enum { SYS_write = 1, SYS_mmap = 9, SYS_recvmsg = 47, SYS_exit_group = 231, SYS_close_range = 436 };
static long call(u64 nr, const u64 *a) {
	register u64 r10 __asm__("r10") = a[3], r8 __asm__("r8") = a[4], r9 __asm__("r9") = a[5];
	long ret;
	__asm__ volatile("syscall" : "=a"(ret) : "0"(nr), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}
#elif defined(__aarch64__)
enum { SYS_write = 64, SYS_mmap = 222, SYS_recvmsg = 212, SYS_exit_group = 94, SYS_close_range = 436 };
static long call(u64 nr, const u64 *a) {
	register u64 x8 __asm__("x8") = nr, x0 __asm__("x0") = a[0], x1 __asm__("x1") = a[1], x2 __asm__("x2") = a[2],
		     x3 __asm__("x3") = a[3], x4 __asm__("x4") = a[4], x5 __asm__("x5") = a[5];
	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return (long)x0;
}
#endif

static void say(u32 kind, u32 a, u32 b) {
	u32 message[4] = { kind, a, b, 0 };
	u64 args[6] = { SOCKET, (u64)message, sizeof message };
	call(SYS_write, args);
}

static void quit(int code) {
	u64 args[6] = { (u64)code };
	call(SYS_exit_group, args);
	for (;;) __builtin_trap(); /* a filter that forbids exit_group must not make this spin */
}

/* A message is the program's size, with its file first and what it refers to behind that. Those get
 * the numbers from PROGRAM on, as nothing else is open there. */
static struct head *receive(void) {
	u32 size;
	u64 iov[2] = { (u64)&size, sizeof size };
	u64 control[2 + (FILES + 1) / 2];
	u64 message[7] = { 0, 0, (u64)iov, 1, (u64)control, sizeof control, 0 };
	u64 args[6] = { PROGRAM, 0xffffffff, 0 };
	long n;
	call(SYS_close_range, args);
	args[0] = SOCKET, args[1] = (u64)message, args[2] = 0x40000000 /* close on exec */;
	do n = call(SYS_recvmsg, args); while (n == -EINTR);
	if (n != sizeof size || message[5] < 20) quit(125); /* the supervisor is gone, or wants no more of this */
	u64 file[6] = { 0, size, 3 /* read, write */, 2 /* private */, (u64)*(int *)(control + 2), 0 };
	u64 at = (u64)call(SYS_mmap, file);
	if (at > -4096UL) quit(125);
	return (struct head *)at;
}

static void run(struct head *h) {
	if (h->magic != MAGIC) quit(125);
	struct op *ops = (struct op *)(h + 1);
	struct reloc *r = (struct reloc *)(ops + h->ops);
	u8 *memory = (u8 *)h + h->memory;
	for (u32 i = 0; i < h->relocs; i++) *(u64 *)(memory + r[i].at) = (u64)(memory + r[i].to);

	for (u32 pc = 0; pc < h->ops;) {
		struct op *o = ops + pc;
		u64 a[6];
		for (int i = 0; i < 6; i++) {
			u64 v = o->arg[i];
			switch (o->kind[i]) {
			case ADDR: v = (u64)(memory + v); break;
			case WORD: v = (u64)(long)*(int *)(memory + v); break;
			case LONG: v = *(u64 *)(memory + v); break;
			}
			a[i] = v;
		}
		if (o->nr == TEST) {
			pc = (a[0] & a[1]) == a[2] ? o->next : o->other;
			continue;
		}
		if (o->nr == COUNT) {
			pc = --*(int *)a[0] > 0 ? o->next : o->other;
			continue;
		}
		if (o->nr == NEXT) return;
		long ret = (long)a[0];
		if (o->nr != JUMP)
			do ret = call(o->nr, a); while (ret == -EINTR);
		if (ret < 0 && ret > -4096) {
			u32 e = (u32)-ret;
			if (o->other == NONE || (o->err1 != NONE && o->err1 != e && o->err2 != e)) {
				say(FAIL, pc, e);
				quit(125);
			}
			if (o->note) say(NOTE, o->note, e);
			*(u32 *)memory = e;
			pc = o->other;
			continue;
		}
		if (o->store != NOSTORE) *(int *)(memory + o->store) = (int)ret;
		pc = o->next ? o->next : pc + 1;
	}
	quit(0);
}

void _start(void) {
	for (;;) run(receive());
}
