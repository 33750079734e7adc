/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that gave its rights up, before the real kernel: each row is a thing that it tries, in
 * a child of its own.
 */
#include "rows.h"
#include "tree.h"

#include "agent/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static char inside[96]; /* may be read and written */
static char readable[96];
static char usable[96];  /* may be read, and written as it is: devices */
static char outside[96]; /* neither */

/* Each returns 0 where it could be done, else the errno. */
static int result(int r)
{
	return r < 0 ? errno : 0;
}

static int open_in(const char *dir, int flags)
{
	const int fd = open(dir, O_DIRECTORY | O_PATH);

	return result(openat(fd, "file", flags, 0600));
}

static int read_inside(void)
{
	return open_in(inside, O_RDONLY);
}
static int write_inside(void)
{
	return open_in(inside, O_WRONLY | O_TRUNC);
}
static int read_readable(void)
{
	return open_in(readable, O_RDONLY);
}
static int write_readable(void)
{
	return open_in(readable, O_WRONLY);
}
static int use_device(void)
{
	return open_in(usable, O_RDWR);
}
static int make_device(void)
{
	return open_in(usable, O_WRONLY | O_TRUNC);
}
static int signal_other(void)
{
	return result(kill(getppid(), 0));
}
static int read_outside(void)
{
	return open_in(outside, O_RDONLY);
}
static int write_outside(void)
{
	return open_in(outside, O_WRONLY);
}

static int rename_inside(void)
{
	const int fd = open(inside, O_DIRECTORY | O_PATH);

	return result(mkdirat(fd, "aside", 0700) || renameat(fd, "file", fd, "aside/file"));
}

static int run_program(void)
{
	char *const args[] = {(char[]){"true"}, NULL};

	return result(execv("/bin/true", args));
}

static int make_process(void)
{
	const pid_t pid = vfork();

	if (pid == 0)
		_exit(0);
	return result(pid);
}

static int mount_something(void)
{
	return result(mount("none", outside, "tmpfs", 0, NULL));
}
static int leave_namespace(void)
{
	return result(unshare(CLONE_NEWUTS));
}
static int rename_host(void)
{
	return result(sethostname("x", 1));
}
static int load_module(void)
{
	return result((int)syscall(SYS_finit_module, -1, "", 0));
}
static int make_user(void)
{
	return result(setuid(1));
}

static void *nothing(void *data)
{
	return data;
}

static int make_thread(void)
{
	pthread_t thread;

	return pthread_create(&thread, NULL, nothing, NULL) || pthread_join(thread, NULL);
}

static int has_capability(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data) < 0)
		return errno;
	return data[0].effective | data[0].permitted | data[1].effective ? 0 : ENOENT;
}

static int may_gain(void)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? EPERM : 0;
}

static struct row {
	const char *name;
	int (*attempt)(void);
	int expected;  /* errno; 0: it works */
	bool of_files; /* by Landlock */
	bool exec;     /* where a credential plugin is run */
	long version;  /* of Landlock that knows it; 0: any */
} rows[] = {
	{"what may be read is read", read_readable, 0, true},
	{"and not written", write_readable, EACCES, true},
	{"where feature files go is read", read_inside, 0, true},
	{"and written", write_inside, 0, true},
	{"a file moves from one directory there to another", rename_inside, 0, true},
	{"a device is opened for writing", use_device, 0, true},
	{"and not cut off", make_device, EACCES, true, .version = 3},
	{"no other process gets a signal", signal_other, EPERM, true, .version = 6},
	{"any other file is not read", read_outside, EACCES, true},
	{"and not written", write_outside, EACCES, true},
	{"no program is run", run_program, EPERM},
	{"no process is made", make_process, EPERM},
	{"a thread is made", make_thread, 0},
	{"nothing is mounted", mount_something, EPERM},
	{"no namespace is left", leave_namespace, EPERM},
	{"the host keeps its name", rename_host, EPERM},
	{"no module is loaded", load_module, EPERM},
	{"nobody becomes another user", make_user, EPERM},
	{"no capability is left", has_capability, ENOENT},
	{"none can be gained", may_gain, EPERM},
	{"a credential plugin is run", run_program, 0, false, true},
	{"and makes processes", make_process, 0, false, true},
	{"but mounts nothing", mount_something, EPERM, false, true},
};

enum {
	CANNOT = 77, /* the kernel has no Landlock, or an old one */
};

static long version_of_landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
}

/* In a child of its own, which does not come back to what it was. */
static int try(const struct row *row)
{
	struct confine_path items[] = {
		{readable, CONFINE_READ, true},
		{usable, CONFINE_USE, true},
		{inside, CONFINE_WRITE, true},
		{(char[]){"/not/there"}, CONFINE_READ, false},
	};
	const struct confine_paths paths = {items, ARRAY_SIZE(items), false};
	int r;

	if (confine_rights(row->exec) !=
	    (1U << CONFINE_NO_NEW_PRIVS | 1U << CONFINE_CAPABILITIES | 1U << CONFINE_SECCOMP))
		return 1;
	if (row->of_files && (version_of_landlock() < row->version || !confine_files(&paths)))
		return CANNOT;
	r = row->attempt();
	if (r != row->expected)
		(void)fprintf(stderr, "%s: %s\n", row->name, strerror(r));
	return r != row->expected;
}

static void check(void **state)
{
	CLEANUP(tree_close) struct tree tree;
	const struct row *row = *state;
	int status = -1;
	pid_t pid;

	tree_open(&tree);
	tree_file(&tree, "x", "in/file");
	tree_file(&tree, "x", "read/file");
	tree_file(&tree, "x", "dev/file");
	tree_file(&tree, "x", "out/file");
	(void)snprintf(inside, sizeof(inside), "%s/in", tree.root);
	(void)snprintf(readable, sizeof(readable), "%s/read", tree.root);
	(void)snprintf(usable, sizeof(usable), "%s/dev", tree.root);
	(void)snprintf(outside, sizeof(outside), "%s/out", tree.root);
	pid = fork();
	if (pid == 0)
		_exit(try(row));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == CANNOT)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* What cannot be named cannot be left open: files are closed once it is there. */
static void a_directory_that_is_not_there_yet_is_waited_for(void **state)
{
	struct confine_path item = {(char[]){"/not/there"}, CONFINE_READ, true};
	const struct confine_paths paths = {&item, 1, false};

	(void)state;
	assert_false(confine_files(&paths));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_directory_that_is_not_there_yet_is_waited_for),
	};

	return RUN_ROWS(rows, check) + cmocka_run_group_tests(tests, NULL, NULL);
}
