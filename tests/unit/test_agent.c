/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's pure parts, and what it tells systemd. */
#include "make.h"
#include "rows.h"
#include "tree.h"

#include "agent/look.h"
#include "agent/service.h"
#include "agent/settle.h"
#include "agent/uevent.h"
#include "base/err.h"
#include "output/feature_file.h"
#include "rules/labels.h"
#include "rules/notes.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct settle_row {
	const char *name;
	int64_t events[8]; /* times, ended by a 0 */
	int64_t due;
} settle_rows[] = {
	{"nothing happened", {0}, INT64_MAX},
	{"one event waits for quiet", {1000}, 1050},
	{"another one puts it off", {1000, 1040}, 1090},
	{"a storm ends after half a second", {1000, 1100, 1200, 1300, 1400, 1490}, 1500},
};

static void check_settle(void **state)
{
	const struct settle_row *row = *state;
	struct settle settle = {0};

	for (size_t i = 0; row->events[i]; i++)
		settle_event(&settle, row->events[i]);
	assert_int_equal(settle_due(&settle), row->due);
	settle_done(&settle);
	assert_int_equal(settle_due(&settle), INT64_MAX);
	settle_event(&settle, 5000);
	assert_int_equal(settle_due(&settle), 5050);
}

#define MESSAGE(text) (text), sizeof(text)
static struct uevent_row {
	const char *name, *message;
	size_t len;
	const char *action, *devpath, *subsystem; /* action NULL: no message of the kernel */
	bool matters;
} uevent_rows[] = {
	{"a bind",
	 MESSAGE("bind@/devices/pci0000:00/0000:05:00.0\0ACTION=bind\0SUBSYSTEM=pci\0SEQNUM=7"),
	 "bind", "/devices/pci0000:00/0000:05:00.0", "pci", true},
	{"a module", MESSAGE("add@/module/gim\0ACTION=add\0SUBSYSTEM=module"), "add", "/module/gim",
	 "module", true},
	{"another subsystem", MESSAGE("add@/devices/x\0SUBSYSTEM=net"), "add", "/devices/x", "net",
	 false},
	{"a key that only ends like ours", MESSAGE("add@/devices/x\0MYSUBSYSTEM=pci"), "add",
	 "/devices/x", "", false},
	{"no keys", MESSAGE("add@/devices/x"), "add", "/devices/x", "", false},
	{"udev's own format", MESSAGE("libudev\0\xfe\xed"), NULL, NULL, NULL, false},
	{"no action", MESSAGE("@/devices/x"), NULL, NULL, NULL, false},
	{"no path", MESSAGE("add@devices"), NULL, NULL, NULL, false},
	{"empty", MESSAGE(""), NULL, NULL, NULL, false},
	{"nothing at all", "", 0, NULL, NULL, NULL, false},
	{"no NUL at the end", "add@/x", 6, NULL, NULL, NULL, false},
};

static void check_uevent(void **state)
{
	const struct uevent_row *row = *state;
	auto_free char *message = malloc(row->len + 1);
	struct uevent event;

	memcpy(message, row->message, row->len);
	assert_int_equal(uevent_parse(message, row->len, &event), row->action != NULL);
	if (!row->action)
		return;
	assert_string_equal(event.action, row->action);
	assert_string_equal(event.devpath, row->devpath);
	assert_string_equal(event.subsystem, row->subsystem);
	assert_int_equal(uevent_matters(&event), row->matters);
}

#define GPU "0000:05:00.0"
#define AMD 0x1002, 0x74a1, 0x1200
static struct doubt_row {
	const char *name;
	struct gpu_row before, now;
	const char *problem; /* an address that a problem of the second look names */
	bool doubtful;
} doubt_rows[] = {
	{"nothing changed", {GPU, AMD, "vfio-pci", 7}, {GPU, AMD, "vfio-pci", 7}, NULL, false},
	{"a driver went", {GPU, AMD, "vfio-pci", 7}, {GPU, AMD, NULL, 7}, NULL, false},
	{"the GPU went", {GPU, AMD, "vfio-pci", 7}, {0}, NULL, false},
	{"the GPU cannot be read any more", {GPU, AMD, "vfio-pci", 7}, {0}, GPU, true},
	{"another function never could",
	 {GPU, AMD, "vfio-pci", 7},
	 {GPU, AMD, "vfio-pci", 7},
	 "0000:06:00.0",
	 false},
	{"its driver cannot be read any more",
	 {GPU, AMD, "vfio-pci", 7},
	 {GPU, AMD, "!driver: is no link", 7},
	 NULL,
	 true},
	{"its driver never could",
	 {GPU, AMD, "!driver: is no link", 7},
	 {GPU, AMD, "!driver: is no link", 7},
	 NULL,
	 false},
	{"a new GPU cannot be read", {0}, {GPU, AMD, "!driver: is no link", 7}, NULL, false},
};

static void check_doubt(void **state)
{
	const struct doubt_row *row = *state;
	CLEANUP(look_clear) struct look before = {0};
	CLEANUP(look_clear) struct look now = {0};
	struct addr addr;

	if (row->before.addr)
		make_gpu(&before.inventory, &row->before);
	if (row->now.addr)
		make_gpu(&now.inventory, &row->now);
	if (row->problem) {
		addr = make_addr(row->problem);
		assert_int_equal(inventory_add_problem(&now.inventory, &addr, "gone"), 0);
	}
	assert_int_equal(inventory_add_problem(&now.inventory, NULL, "junk"), 0);
	assert_int_equal(look_is_doubtful(&before, &now), row->doubtful);
}

static void only_the_kernel_is_believed(void **state)
{
	static const char message[] = "bind@/devices/x\0SUBSYSTEM=pci";
	const struct sockaddr_nl group = {.nl_family = AF_NETLINK, .nl_groups = 1};
	auto_close int sender = socket(AF_NETLINK, SOCK_DGRAM, NETLINK_KOBJECT_UEVENT);
	auto_close int fd = -1;
	char buf[UEVENT_MAX];
	struct uevent event;
	struct err err;
	int r;

	(void)state;
	fd = uevent_open(&err);
	if (fd < 0)
		fail_msg("%s", err.text);
	if (sendto(sender, message, sizeof(message), 0, (const struct sockaddr *)&group,
		   sizeof(group)) < 0) {
		print_message("SKIPPED: only root can send to the group: %s\n", strerror(errno));
		skip();
	}
	/* A true event of the moment may come in between. */
	while ((r = uevent_receive(fd, buf, &event)) == UEVENT_ONE)
		assert_string_not_equal(event.devpath, "/devices/x");
	assert_int_equal(r, UEVENT_NONE);
}

static void a_file_that_nfd_would_skip_is_refused(void **state)
{
	static const struct picks none;
	static const struct rule a_rule = {"a rule", "", NULL};
	CLEANUP(tree_close) struct tree tree;
	static const struct labels nothing;
	CLEANUP(labels_clear) struct labels labels = {0};
	CLEANUP(notes_clear) struct notes notes = {0};
	CLEANUP(output_free) struct output *file = NULL;
	auto_free char *path = NULL;
	struct err err;
	int r;

	(void)state;
	tree_open(&tree);
	if (asprintf(&path, "%s/gpu-labeler", tree.root) < 0)
		abort();
	assert_int_equal(feature_file_open(tree.root, 0, &file, &err), 0);
	labels_put(&labels, &notes, "amd.com/gpu.mode", "container",
		   (struct origin){&a_rule, &none});
	/* The hidden directory was made just now: NFD is deaf, so the file has to wait. */
	assert_int_equal(file->ops->publish(file, &labels, &err), OUTPUT_TOO_SOON);
	assert_int_equal(access(path, F_OK), -1);
	file->touched_ms = 0;
	assert_int_equal(file->ops->publish(file, &labels, &err), 0);
	assert_int_equal(file->ops->publish(file, &labels, &err), OUTPUT_SAME);
	/* A removal is a change as any other: NFD misses it within the second, too. */
	assert_int_equal(file->ops->publish(file, &nothing, &err), OUTPUT_TOO_SOON);
	assert_int_equal(access(path, F_OK), 0);
	file->touched_ms = 0;
	assert_int_equal(file->ops->publish(file, &nothing, &err), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(file->ops->publish(file, &nothing, &err), OUTPUT_SAME);
	file->touched_ms = 0;
	assert_int_equal(file->ops->publish(file, &labels, &err), 0);
	file->touched_ms = 0;
	for (int i = 0; i < 1500; i++) {
		char key[64];

		(void)snprintf(key, sizeof(key), "amd.com/gpu.a-label-that-is-long-enough.%d", i);
		labels_put(&labels, &notes, key, "value", (struct origin){&a_rule, &none});
	}
	r = file->ops->publish(file, &labels, &err);
	assert_int_equal(r, -EFBIG);
	assert_non_null(strstr(err.text, "65536"));
	assert_int_equal(access(path, F_OK), 0);
}

static void systemd_is_told(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	auto_close int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char text[64] = "";

	(void)state;
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/gpu-labeler-test-%d",
		       getpid());
	(void)unlink(address.sun_path);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	(void)unsetenv("NOTIFY_SOCKET");
	service_notify("READY=1");
	assert_int_equal(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT), -1);
	(void)setenv("NOTIFY_SOCKET", address.sun_path, 1);
	service_notify("READY=1\nSTATUS=8 GPU functions");
	assert_true(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT) > 0);
	assert_string_equal(text, "READY=1\nSTATUS=8 GPU functions");
	(void)unlink(address.sun_path);
}

static void the_watchdog_is_fed_twice_as_often(void **state)
{
	char pid[16];

	(void)state;
	(void)unsetenv("WATCHDOG_USEC");
	assert_int_equal(service_watchdog_ms(), 0);
	(void)setenv("WATCHDOG_USEC", "30000000", 1);
	(void)unsetenv("WATCHDOG_PID");
	assert_int_equal(service_watchdog_ms(), 15000);
	(void)setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(service_watchdog_ms(), 0);
	(void)snprintf(pid, sizeof(pid), "%d", getpid());
	(void)setenv("WATCHDOG_PID", pid, 1);
	assert_int_equal(service_watchdog_ms(), 15000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_kernel_is_believed),
		cmocka_unit_test(a_file_that_nfd_would_skip_is_refused),
		cmocka_unit_test(systemd_is_told),
		cmocka_unit_test(the_watchdog_is_fed_twice_as_often),
	};

	return RUN_ROWS(settle_rows, check_settle) + RUN_ROWS(uevent_rows, check_uevent) +
	       RUN_ROWS(doubt_rows, check_doubt) + cmocka_run_group_tests(tests, NULL, NULL);
}
