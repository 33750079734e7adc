/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/agent.h"

#include "agent/dir_watch.h"
#include "agent/look.h"
#include "agent/loop.h"
#include "agent/monitor.h"
#include "agent/publisher.h"
#include "agent/sandbox.h"
#include "agent/say.h"
#include "agent/service.h"
#include "agent/settle.h"
#include "agent/uevent.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/random.h"
#include "base/strbuf.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/signalfd.h>

enum {
	SECOND_LOOK_MS = 1000, /* after a doubtful one, or a failed scan */
	CAUSE_TEXT = 256,
};

struct agent {
	const struct agent_setup *setup;
	struct config config; /* owned */
	struct loop loop;
	struct source signals, events, file_events;
	struct dir_watch config_dir;
	struct settle settle;
	struct publishers publishers;
	struct look good;     /* what is published, or about to be */
	struct look doubtful; /* waits for a second look that agrees */
	struct notes told;    /* what the log knows already */
	bool has_good, has_doubtful;
	int64_t doubtful_since; /* when two looks in a row first agreed on it */
	int64_t look_due;       /* the timer, or the second look; INT64_MAX: none */
	int64_t watchdog_ms, watchdog_due;
	char cause[CAUSE_TEXT]; /* what the look that is due stands on */
	int64_t cause_ms;       /* when that happened */
	char trouble[ERR_TEXT]; /* what was last said of a failed scan, not to be said again */
	struct counts counts;
	struct monitor monitor;
	struct sandbox sandbox;
	bool reload, dump, leave;
	const char *reload_cause;
};

#define AGENT_OF(source, member)                                                                   \
	((struct agent *)(void *)((char *)(source)-offsetof(struct agent, member)))

/* The first cause of a group of events is kept: that is when the change began. */
static void __attribute__((format(printf, 2, 3)))
set_cause(struct agent *agent, const char *format, ...)
{
	va_list args;

	if (agent->cause[0])
		return;
	va_start(args, format);
	(void)vsnprintf(agent->cause, sizeof(agent->cause), format, args);
	va_end(args);
	agent->cause_ms = output_now_ms();
}

/* ---- what happens ---- */

static void on_uevent(struct source *source)
{
	struct agent *agent = AGENT_OF(source, events);
	char buf[UEVENT_MAX];
	struct uevent event;
	int r;

	while ((r = uevent_receive(source->fd, buf, &event)) > 0) {
		if (r == UEVENT_LOST) {
			log_line(LEVEL_WARNING, NULL, "kernel events were lost: looking at all");
			agent->counts.lost_events++;
			set_cause(agent, "lost kernel events");
		} else if (uevent_matters(&event)) {
			const char *name = strrchr(event.devpath, '/');

			set_cause(agent, "uevent %s %s", event.action, name + 1);
			agent->counts.events++;
		} else {
			agent->counts.other_events++;
			continue;
		}
		settle_event(&agent->settle, output_now_ms());
	}
	if (r < 0) {
		log_line(LEVEL_WARNING, NULL, "kernel events ended: %s: the timer alone is left",
			 strerror(-r));
		loop_remove(&agent->loop, source);
	}
}

static void on_signal(struct source *source)
{
	struct agent *agent = AGENT_OF(source, signals);
	struct signalfd_siginfo info;

	while (read(source->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGHUP:
			agent->reload = true;
			agent->reload_cause = "SIGHUP";
			break;
		case SIGUSR1:
			agent->dump = true;
			break;
		default:
			log_line(LEVEL_INFO, NULL, "leaving: %s", strsignal((int)info.ssi_signo));
			agent->leave = true;
		}
	}
}

static void on_config_dir(struct source *source)
{
	struct agent *agent = AGENT_OF(source, file_events);
	const char *name = strrchr(agent->setup->config_file, '/');

	if (!dir_watch_read(&agent->config_dir, name ? name + 1 : agent->setup->config_file))
		return;
	agent->reload = true;
	agent->reload_cause = "the file changed";
}

/* ---- looking ---- */

/* Up to a tenth more or less, so that the nodes of a cluster do not march in step. */
static int64_t jitter(int64_t ms)
{
	return ms - ms / 10 + random_below(ms / 5);
}

static bool has_note(const struct notes *notes, const char *text)
{
	for (size_t i = 0; i < notes->n_items; i++) {
		if (strcmp(notes->items[i].text, text) == 0)
			return true;
	}
	return false;
}

/*
 * Says each note once, as long as it holds. A warning waits for a second look that has it too:
 * while VFs come and go there is always one that is named and not there, or there and not readable.
 */
static void log_notes(struct agent *agent, const struct look *before, const struct look *now)
{
	CLEANUP(notes_clear) struct notes told = {0};

	for (size_t i = 0; i < now->verdict.notes.n_items; i++) {
		const struct note *note = &now->verdict.notes.items[i];
		const bool is_told = has_note(&agent->told, note->text);

		if (!is_told && note->level == NOTE_WARNING && before &&
		    !has_note(&before->verdict.notes, note->text)) {
			if (agent->look_due > output_now_ms() + SECOND_LOOK_MS)
				agent->look_due = output_now_ms() + SECOND_LOOK_MS;
			continue;
		}
		if (!is_told)
			say_note(note);
		notes_add(&told, note->level, "%s", note->text);
	}
	SWAP(agent->told, told);
}

static void tell_service(const struct agent *agent)
{
	char state[128];

	(void)snprintf(state, sizeof(state), "STATUS=%zu GPU functions, %zu labels",
		       agent->good.inventory.n_gpus, agent->good.verdict.labels.n_items);
	service_notify(state);
}

/* Believes the look: from here on it is what is published. */
static void accept(struct agent *agent, struct look *look)
{
	CLEANUP(strbuf_clear) struct strbuf changes = {0};

	log_notes(agent, agent->has_good ? &agent->good : NULL, look);
	labels_diff(&agent->good.verdict.labels, &look->verdict.labels, &changes);
	publishers_offer(&agent->publishers, changes.len ? changes.text : "", agent->cause,
			 agent->cause_ms, !agent->has_good);
	SWAP(agent->good, *look);
	agent->has_good = true;
	look_clear(&agent->doubtful);
	agent->has_doubtful = false;
	tell_service(agent);
}

static void scan_failed(struct agent *agent, const struct err *err)
{
	agent->look_due = output_now_ms() + SECOND_LOOK_MS;
	if (strcmp(agent->trouble, err->text) == 0)
		agent->look_due = output_now_ms() + jitter(agent->config.interval_ms);
	else
		log_line(LEVEL_ERROR, NULL, "%s: what is published stays", err->text);
	(void)snprintf(agent->trouble, sizeof(agent->trouble), "%s", err->text);
}

/*
 * Is this a look to wait for another one after? Two in a row have to agree, a second apart: a storm
 * of events makes several looks in no time, at the same half of a change.
 */
static bool must_wait(struct agent *agent, const struct look *now)
{
	const bool agree = agent->has_doubtful && look_same_labels(&agent->doubtful, now);

	if (!agent->has_good || !look_is_doubtful(&agent->good, now) ||
	    look_same_labels(&agent->good, now))
		return false;
	if (!agree)
		agent->doubtful_since = output_now_ms();
	return output_now_ms() - agent->doubtful_since < SECOND_LOOK_MS;
}

static void wait_for_second(struct agent *agent, struct look *now)
{
	log_notes(agent, agent->has_doubtful ? &agent->doubtful : &agent->good, now);
	if (!agent->has_doubtful)
		log_line(LEVEL_INFO, NULL,
			 "a GPU cannot be read any more: the labels stay until a second look "
			 "agrees");
	SWAP(agent->doubtful, *now);
	agent->has_doubtful = true;
	agent->look_due = agent->doubtful_since + SECOND_LOOK_MS;
}

static int counted_look(struct agent *agent, struct look *ret, struct err *err)
{
	const double begin_s = histogram_clock();
	const int r = look_take(&agent->config, ret, err);

	histogram_add(&agent->counts.scan_seconds, histogram_clock() - begin_s);
	agent->counts.scans++;
	agent->counts.failed_scans += r < 0;
	return r;
}

static void look(struct agent *agent)
{
	CLEANUP(look_clear) struct look now = {0};
	struct err err;
	int r;

	settle_done(&agent->settle);
	agent->look_due = output_now_ms() + jitter(agent->config.interval_ms);
	r = counted_look(agent, &now, &err);
	if (r < 0) {
		scan_failed(agent, &err);
		agent->cause[0] = '\0';
		return;
	}
	if (agent->trouble[0])
		log_line(LEVEL_INFO, NULL, "the scan works again");
	agent->trouble[0] = '\0';
	if (must_wait(agent, &now)) {
		wait_for_second(agent, &now);
		return;
	}
	accept(agent, &now);
	agent->cause[0] = '\0';
}

/* ---- settings ---- */

/* Outputs that changed are opened anew; those that are no longer asked for leave nothing behind. */
static int change_outputs(struct agent *agent, const struct config *config, struct err *err)
{
	struct err again;
	int r;

	if (config_same_outputs(&agent->config, config))
		return 0;
	r = publishers_leave(&agent->publishers, config, err);
	if (r < 0)
		return r;
	publishers_clear(&agent->publishers);
	agent->has_good = false; /* the new outputs have seen nothing yet */
	r = publishers_open(&agent->publishers, config, &agent->loop, err);
	if (r < 0 && publishers_open(&agent->publishers, &agent->config, &agent->loop, &again) < 0)
		log_line(LEVEL_ERROR, NULL, "%s", again.text);
	if (r < 0) { /* what was withdrawn is put back at once */
		set_cause(agent, "reload");
		agent->look_due = output_now_ms();
	}
	return r;
}

static void reload(struct agent *agent)
{
	CLEANUP(config_clear) struct config config = {0};
	struct err err;
	int r;

	r = agent->setup->load(agent->setup->data, &config, &err);
	if (r == 0)
		r = change_outputs(agent, &config, &err);
	if (r < 0) {
		log_line(LEVEL_ERROR, NULL, "%s: the old settings stay", err.text);
		return;
	}
	SWAP(agent->config, config);
	log_setup(agent->config.log_level, agent->config.log_json);
	log_line(LEVEL_INFO, NULL, "settings read again: %s", agent->reload_cause);
	sandbox_compare(&agent->sandbox, &agent->config, agent->setup->config_file);
	monitor_listen(&agent->monitor, agent->config.listen);
	set_cause(agent, "reload");
	agent->look_due = output_now_ms();
}

static void dump(const struct agent *agent)
{
	const struct labels *labels = &agent->good.verdict.labels;

	log_line(LEVEL_INFO, NULL,
		 "state: mode %s, %zu GPU functions, %zu labels, next look in %lld ms",
		 agent->good.verdict.mode == MODE_NONE ? "none"
						       : mode_name(agent->good.verdict.mode),
		 agent->good.inventory.n_gpus, labels->n_items,
		 (long long)(agent->look_due - output_now_ms()));
	for (size_t i = 0; i < labels->n_items; i++)
		log_line(LEVEL_INFO, NULL, "state: %s=%s", labels->items[i].key,
			 labels->items[i].value);
	publishers_dump(&agent->publishers);
}

/* ---- start and loop ---- */

static int open_signals(struct agent *agent, struct err *err)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGUSR1);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	agent->signals = (struct source){signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), on_signal};
	if (agent->signals.fd < 0)
		return err_set(err, -errno, "no signalfd: %s", strerror(errno));
	return loop_add(&agent->loop, &agent->signals, err);
}

/* Neither is needed: without them the timer does it, more slowly. */
static void open_events(struct agent *agent)
{
	const char *path = agent->setup->config_file;
	const char *slash = strrchr(path, '/');
	auto_free char *dir =
		slash ? strndup(path, (size_t)(slash - path) + (slash == path)) : strdup(".");
	struct err err;

	agent->events = (struct source){uevent_open(&err), on_uevent};
	if (agent->events.fd < 0 || loop_add(&agent->loop, &agent->events, &err) < 0)
		log_line(LEVEL_WARNING, NULL, "%s: the timer alone is left", err.text);
	else if (uevent_is_silent())
		log_line(LEVEL_WARNING, NULL,
			 "in a user namespace, which gets no kernel events: the timer alone is "
			 "left");
	if (dir && dir_watch_open(&agent->config_dir, dir, &err) == 0) {
		agent->file_events = (struct source){agent->config_dir.fd, on_config_dir};
		if (loop_add(&agent->loop, &agent->file_events, &err) == 0)
			return;
	}
	log_line(LEVEL_WARNING, NULL, "%s: changes of it are read on SIGHUP alone", path);
}

static void agent_close(struct agent *agent)
{
	monitor_close(&agent->monitor);
	sandbox_clear(&agent->sandbox);
	publishers_clear(&agent->publishers);
	look_clear(&agent->good);
	look_clear(&agent->doubtful);
	notes_clear(&agent->told);
	config_clear(&agent->config);
	dir_watch_close(&agent->config_dir);
	cleanup_close(&agent->signals.fd);
	cleanup_close(&agent->events.fd);
	loop_close(&agent->loop);
}

static int agent_open(struct agent *agent, struct err *err)
{
	int r = loop_open(&agent->loop, err);

	if (r == 0)
		r = open_signals(agent, err);
	if (r == 0)
		r = publishers_open(&agent->publishers, &agent->config, &agent->loop, err);
	if (r < 0)
		return r;
	open_events(agent);
	agent->monitor.loop = &agent->loop;
	agent->monitor.view = (struct metrics_view){&agent->counts, &agent->good,
						    &agent->publishers, &agent->sandbox.in_force};
	monitor_listen(&agent->monitor, agent->config.listen);
	sandbox_enter(&agent->sandbox, &agent->config, agent->setup->config_file);
	return 0;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t next_due(const struct agent *agent)
{
	int64_t due = earlier(agent->look_due, settle_due(&agent->settle));

	due = earlier(due, publishers_due(&agent->publishers));
	due = earlier(due, monitor_due(&agent->monitor));
	return earlier(due, agent->watchdog_due);
}

static void do_what_is_due(struct agent *agent)
{
	if (agent->reload)
		reload(agent);
	agent->reload = false;
	if (settle_due(&agent->settle) <= output_now_ms()) {
		look(agent);
	} else if (agent->look_due <= output_now_ms()) {
		set_cause(agent, "timer");
		look(agent);
		publishers_check(&agent->publishers);
		monitor_check(&agent->monitor);
		sandbox_check(&agent->sandbox);
	}
	monitor_work(&agent->monitor);
	publishers_work(&agent->publishers, &agent->good.verdict.labels);
	if (agent->dump)
		dump(agent);
	agent->dump = false;
	if (agent->watchdog_due <= output_now_ms()) {
		service_notify("WATCHDOG=1");
		agent->watchdog_due = output_now_ms() + agent->watchdog_ms;
	}
}

int agent_run(const struct agent_setup *setup, struct config *config, struct err *err)
{
	CLEANUP(agent_close)
	struct agent agent = {
		.setup = setup,
		.loop = LOOP_CLOSED,
		.signals.fd = -1,
		.events.fd = -1,
		.config_dir = DIR_WATCH_NONE,
		.watchdog_ms = service_watchdog_ms(),
		.watchdog_due = INT64_MAX,
	};
	int r;

	SWAP(agent.config, *config);
	log_setup(agent.config.log_level, agent.config.log_json);
	r = agent_open(&agent, err);
	if (r < 0)
		return r;
	set_cause(&agent, "start");
	look(&agent);
	publishers_work(&agent.publishers, &agent.good.verdict.labels);
	service_notify("READY=1");
	if (agent.watchdog_ms > 0)
		agent.watchdog_due = output_now_ms() + agent.watchdog_ms;
	while (!agent.leave) {
		loop_wait(&agent.loop, next_due(&agent));
		do_what_is_due(&agent);
	}
	service_notify("STOPPING=1");
	if (agent.config.withdraw_on_exit)
		return publishers_withdraw(&agent.publishers, err);
	return 0;
}
