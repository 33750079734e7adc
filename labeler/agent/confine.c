/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/confine.h"

#include "base/cleanup.h"
#include "base/err.h"
#ifndef STATIC_SECCOMP
#include "base/library.h"
#endif

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

const char *const confine_part_names[CONFINE_PARTS] = {
	[CONFINE_NO_NEW_PRIVS] = "no_new_privs",
	[CONFINE_CAPABILITIES] = "capabilities",
	[CONFINE_SECCOMP] = "seccomp",
	[CONFINE_LANDLOCK] = "landlock",
};

/* ---- system calls ---- */

/*
 * What is forbidden, and not what is allowed: the latter changes with each libc and TLS library,
 * and an agent that dies of a new libc costs the labels. These are the calls that change the
 * machine, look into other processes, or start some.
 */
static const char *const forbidden[] = {
	/* mounts and namespaces */
	"mount", "umount2", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount", "fspick",
	"mount_setattr", "pivot_root", "chroot", "unshare", "setns",
	/* the kernel itself */
	"init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "bpf",
	"perf_event_open", "io_uring_setup", "io_uring_enter", "io_uring_register", "userfaultfd",
	"reboot", "swapon", "swapoff", "acct", "quotactl", "syslog", "iopl", "ioperm", "modify_ldt",
	"personality", "vhangup", "lookup_dcookie", "nfsservctl",
	/* clock and name */
	"settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "sethostname",
	"setdomainname",
	/* keys, files by handle, special files and owners */
	"add_key", "request_key", "keyctl", "open_by_handle_at", "name_to_handle_at", "mknod",
	"mknodat", "chown", "fchown", "lchown", "fchownat",
	/* who we are */
	"setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setfsuid",
	"setfsgid", "setgroups", "capset",
	/* other processes */
	"process_vm_writev", "pidfd_getfd", "kcmp"};

/* Not where a credential plugin is run. */
static const char *const forbidden_without_exec[] = {"execve", "execveat", "fork", "vfork",
						     "pidfd_send_signal"};

/* The leak checker of a sanitizer stops its own process from a clone of it. */
#if defined(__SANITIZE_ADDRESS__)
enum { IS_SANITIZED = true };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { IS_SANITIZED = true };
#else
enum { IS_SANITIZED = false };
#endif
#else
enum { IS_SANITIZED = false };
#endif

#define SECCOMP_FUNCTIONS(X)                                                                       \
	X(seccomp_init)                                                                            \
	X(seccomp_syscall_resolve_name)                                                            \
	X(seccomp_rule_add_array)                                                                  \
	X(seccomp_load)                                                                            \
	X(seccomp_release)

#define MEMBER(name)                                                                               \
	__typeof__(name) *name; /* NOLINT(bugprone-macro-parentheses): a declaration               \
				 */
struct libseccomp {
	struct library library;
	SECCOMP_FUNCTIONS(MEMBER)
};

static bool libseccomp_open(struct libseccomp *lib)
{
#define ROW(name) LIBRARY_FUNCTION(name, &lib->name),
	const struct library_function functions[] = {SECCOMP_FUNCTIONS(ROW)};
	static const char *const names[] = {"libseccomp.so.2", NULL};
	struct err err;

	return library_open(&lib->library, "libseccomp", names, functions, ARRAY_SIZE(functions),
			    &err) == 0;
}

static void libseccomp_close(struct libseccomp *lib)
{
	library_close(&lib->library);
}

/* False where the rule is not taken; a call that this machine does not have needs none. */
static bool forbid(const struct libseccomp *lib, scmp_filter_ctx filter, const char *name,
		   unsigned int error, const struct scmp_arg_cmp *where)
{
	const int call = lib->seccomp_syscall_resolve_name(name);
	int r;

	if (call == __NR_SCMP_ERROR)
		return true;
	r = lib->seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(error), call, where ? 1 : 0, where);
	return r == 0 || r == -EDOM;
}

static bool forbid_all(const struct libseccomp *lib, scmp_filter_ctx filter,
		       const char *const *names, size_t n)
{
	bool ok = true;

	for (size_t i = 0; i < n; i++)
		ok = ok && forbid(lib, filter, names[i], EPERM, NULL);
	return ok;
}

/* Threads are made, for names of hosts; processes are not. clone3() hides which from a filter: libc
 * then takes clone(). */
static bool forbid_processes(const struct libseccomp *lib, scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp no_thread = {0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0};

	return forbid_all(lib, filter, forbidden_without_exec,
			  ARRAY_SIZE(forbidden_without_exec)) &&
	       (IS_SANITIZED || (forbid(lib, filter, "clone", EPERM, &no_thread) &&
				 forbid(lib, filter, "clone3", ENOSYS, NULL)));
}

static bool close_calls(bool exec)
{
	static const char *const of_debuggers[] = {"ptrace", "process_vm_readv"};
	CLEANUP(libseccomp_close) struct libseccomp lib = {0};
	scmp_filter_ctx filter;
	bool ok;

	if (!libseccomp_open(&lib))
		return false;
	filter = lib.seccomp_init(SCMP_ACT_ALLOW);
	ok = filter && forbid_all(&lib, filter, forbidden, ARRAY_SIZE(forbidden)) &&
	     (IS_SANITIZED || forbid_all(&lib, filter, of_debuggers, ARRAY_SIZE(of_debuggers))) &&
	     (exec || forbid_processes(&lib, filter)) && lib.seccomp_load(filter) == 0;
	if (filter)
		lib.seccomp_release(filter);
	return ok;
}

/* ---- capabilities ---- */

static bool drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};

	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return syscall(SYS_capset, &header, none) == 0;
}

unsigned int confine_rights(bool exec)
{
	unsigned int in_force = 0;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		in_force |= 1U << CONFINE_NO_NEW_PRIVS;
	if (drop_capabilities())
		in_force |= 1U << CONFINE_CAPABILITIES;
	if (close_calls(exec))
		in_force |= 1U << CONFINE_SECCOMP;
	return in_force;
}

/* ---- files ---- */

/* Of later versions of the header. */
#define MAY_REFER (1U << 13)    /* version 2 */
#define MAY_TRUNCATE (1U << 14) /* version 3 */
#define SIGNALS 2U              /* version 6: none to processes outside */
#define OF_VERSION_1 ((1U << 13) - 1)
struct ruleset {
	uint64_t files;
	uint64_t net, scoped; /* since versions 4, 6 */
};

static long version_of_kernel(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

/* version 2: the first forbids to rename from one directory to another */
static struct ruleset rules_of(long version)
{
	return (struct ruleset){
		.files = OF_VERSION_1 | MAY_REFER | (version >= 3 ? MAY_TRUNCATE : 0U),
		.scoped = version >= 6 ? SIGNALS : 0,
	};
}

static uint64_t rights_of(enum confine_how how, uint64_t files)
{
	const uint64_t reading = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;

	switch (how) {
	case CONFINE_READ:
		return reading;
	case CONFINE_USE:
		return reading | LANDLOCK_ACCESS_FS_WRITE_FILE;
	case CONFINE_WRITE:
		break;
	}
	return files & ~(uint64_t)LANDLOCK_ACCESS_FS_EXECUTE;
}

/* Returns 0, or a negative errno: -ENOENT where the directory is not there. */
static int leave_open(int rules, const struct confine_path *path, uint64_t files)
{
	auto_close int fd = open(path->dir, O_PATH | O_CLOEXEC);
	const struct landlock_path_beneath_attr beneath = {
		.allowed_access = rights_of(path->how, files),
		.parent_fd = fd,
	};

	if (fd < 0)
		return -errno;
	return syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) < 0
		       ? -errno
		       : 0;
}

bool confine_files(const struct confine_paths *paths)
{
	const long version = version_of_kernel();
	const struct ruleset handled = rules_of(version);
	const size_t size = version >= 6 ? sizeof(handled) : sizeof(handled.files);
	auto_close int rules =
		version >= 2 ? (int)syscall(SYS_landlock_create_ruleset, &handled, size, 0) : -1;

	if (rules < 0 || paths->failed)
		return false;
	for (size_t i = 0; i < paths->n_items; i++) {
		if (leave_open(rules, &paths->items[i], handled.files) < 0 &&
		    paths->items[i].needed)
			return false;
	}
	return syscall(SYS_landlock_restrict_self, rules, 0) == 0;
}
