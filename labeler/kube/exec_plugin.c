/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/exec_plugin.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "kube/json.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

enum {
	OUT_MOST = 1 << 20,
};

static void free_list(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

void kube_exec_clear(struct kube_exec *exec)
{
	free(exec->command);
	free_list(exec->args);
	free_list(exec->env);
	free(exec->api_version);
	*exec = (struct kube_exec){0};
}

void kube_exec_result_clear(struct kube_exec_result *result)
{
	free(result->token);
	free(result->cert);
	free(result->key);
	*result = (struct kube_exec_result){0};
}

void kube_exec_stop(struct kube_exec_run *run)
{
	if (run->pid > 0) {
		(void)kill(run->pid, SIGKILL);
		(void)waitpid(run->pid, NULL, 0);
	}
	cleanup_close(&run->pid_fd);
	cleanup_close(&run->out_fd);
	strbuf_clear(&run->out);
	*run = KUBE_EXEC_NONE;
}

static size_t length(char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

static bool same_name(const char *a, const char *b)
{
	const size_t len = strcspn(a, "=");

	return strncmp(a, b, len + 1) == 0;
}

/* A borrowed list of ours, theirs and one more: a name given later takes the place of the first. */
static char **lay_over(char *const *ours, char *const *theirs, char *more)
{
	char **list = calloc(length(ours) + length(theirs) + 2, sizeof(*list));
	size_t n = 0;

	if (!list)
		return NULL;
	for (size_t i = 0; i < length(ours); i++)
		list[n++] = ours[i];
	for (size_t i = 0; i <= length(theirs); i++) {
		char *new = i < length(theirs) ? theirs[i] : more;
		size_t at = 0;

		while (at < n && !same_name(list[at], new))
			at++;
		list[at] = new;
		n += at == n;
	}
	return list;
}

/* KUBERNETES_EXEC_INFO=... */
static char *exec_info(const struct kube_exec *exec, const char *cluster)
{
	char *text = NULL;

	if (asprintf(&text,
		     "KUBERNETES_EXEC_INFO={\"apiVersion\":\"%s\",\"kind\":\"ExecCredential\","
		     "\"spec\":{%s%s%s\"interactive\":false}}",
		     exec->api_version, cluster ? "\"cluster\":" : "", cluster ? cluster : "",
		     cluster ? "," : "") < 0)
		return NULL;
	return text;
}

struct spawning {
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
};

static void spawning_clear(struct spawning *spawning)
{
	(void)posix_spawn_file_actions_destroy(&spawning->actions);
	(void)posix_spawnattr_destroy(&spawning->attributes);
}

/* Our signals are blocked, since they are read from an fd; the plugin's are as usual. */
static int spawn(const struct kube_exec *exec, char **argv, char **env, int out, pid_t *ret)
{
	CLEANUP(spawning_clear) struct spawning how;
	sigset_t none;
	sigset_t usual;

	(void)sigemptyset(&none);
	(void)sigemptyset(&usual);
	(void)sigaddset(&usual, SIGPIPE);
	(void)posix_spawn_file_actions_init(&how.actions);
	(void)posix_spawnattr_init(&how.attributes);
	(void)posix_spawnattr_setsigmask(&how.attributes, &none);
	(void)posix_spawnattr_setsigdefault(&how.attributes, &usual);
	(void)posix_spawnattr_setflags(&how.attributes,
				       POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if (posix_spawn_file_actions_addopen(&how.actions, STDIN_FILENO, "/dev/null", O_RDONLY,
					     0) != 0 ||
	    posix_spawn_file_actions_adddup2(&how.actions, out, STDOUT_FILENO) != 0)
		return -ENOMEM;
	return -posix_spawnp(ret, exec->command, &how.actions, &how.attributes, argv, env);
}

int kube_exec_start(const struct kube_exec *exec, const char *cluster, struct kube_exec_run *ret,
		    struct err *err)
{
	CLEANUP(kube_exec_stop) struct kube_exec_run run = KUBE_EXEC_NONE;
	auto_free char **argv = calloc(length(exec->args) + 2, sizeof(*argv));
	auto_free char *info = exec_info(exec, exec->wants_cluster ? cluster : NULL);
	auto_free char **env = info ? lay_over(environ, exec->env, info) : NULL;
	auto_close int out = -1;
	int pipe_fds[2];
	int r;

	if (!argv || !env)
		return err_set(err, -ENOMEM, "out of memory");
	argv[0] = exec->command;
	for (size_t i = 0; i < length(exec->args); i++)
		argv[i + 1] = exec->args[i];
	if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_set(err, -errno, "no pipe: %s", strerror(errno));
	run.out_fd = pipe_fds[0];
	out = pipe_fds[1];
	(void)fcntl(out, F_SETFL, 0); /* the plugin's end waits as any other */
	r = spawn(exec, argv, env, out, &run.pid);
	if (r < 0)
		return err_set(err, r, "credential plugin %s: cannot be started: %s", exec->command,
			       strerror(-r));
	run.pid_fd = (int)syscall(SYS_pidfd_open, run.pid, 0);
	if (run.pid_fd < 0)
		return err_set(err, -errno, "credential plugin %s: cannot be watched: %s",
			       exec->command, strerror(errno));
	SWAP(*ret, run);
	return 0;
}

static int64_t time_of(const char *text)
{
	struct tm parts = {0};

	if (!*text || !strptime(text, "%Y-%m-%dT%H:%M:%S", &parts))
		return INT64_MAX;
	return timegm(&parts);
}

static int take_status(const struct kube_exec *exec, struct json_object *json,
		       struct kube_exec_result *ret, struct err *err)
{
	CLEANUP(kube_exec_result_clear) struct kube_exec_result result = {0};
	const struct {
		const char *name;
		char **at;
	} wanted[] = {
		{"token", &result.token},
		{"clientCertificateData", &result.cert},
		{"clientKeyData", &result.key},
	};

	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		const char *text = kube_json_text(json, KUBE_PATH("status", wanted[i].name));

		if (!*text)
			continue;
		*wanted[i].at = strdup(text);
		if (!*wanted[i].at)
			return err_set(err, -ENOMEM, "out of memory");
	}
	if (!result.token && !(result.cert && result.key))
		return err_set(err, -EBADMSG,
			       "credential plugin %s: it printed neither a token nor a certificate "
			       "with its key",
			       exec->command);
	result.until_s = time_of(kube_json_text(json, KUBE_PATH("status", "expirationTimestamp")));
	SWAP(*ret, result);
	return 1;
}

static int ended(const struct kube_exec *exec, struct kube_exec_run *run, int status,
		 struct kube_exec_result *ret, struct err *err)
{
	CLEANUP(kube_json_put) struct json_object *json = NULL;

	if (WIFSIGNALED(status))
		return err_set(err, -EIO, "credential plugin %s: ended by signal %d", exec->command,
			       WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		return err_set(err, -EIO, "credential plugin %s: failed with exit status %d",
			       exec->command, WEXITSTATUS(status));
	json = run->out.text ? kube_json_parse(run->out.text, run->out.len) : NULL;
	if (!json)
		return err_set(err, -EBADMSG, "credential plugin %s: it printed no JSON",
			       exec->command);
	return take_status(exec, json, ret, err);
}

int kube_exec_read(const struct kube_exec *exec, struct kube_exec_run *run,
		   struct kube_exec_result *ret, struct err *err)
{
	char buf[4096];
	ssize_t len;
	int status = 0;
	int r;

	while ((len = read(run->out_fd, buf, sizeof(buf))) > 0) {
		strbuf_add_bytes(&run->out, buf, (size_t)len);
		if (run->out.failed || run->out.len > OUT_MOST) {
			kube_exec_stop(run);
			return err_set(err, -EMSGSIZE, "credential plugin %s: it prints too much",
				       exec->command);
		}
	}
	if (waitpid(run->pid, &status, WNOHANG) != run->pid)
		return 0;
	run->pid = 0;
	while ((len = read(run->out_fd, buf, sizeof(buf))) > 0 && run->out.len < OUT_MOST)
		strbuf_add_bytes(&run->out, buf, (size_t)len);
	r = ended(exec, run, status, ret, err);
	kube_exec_stop(run);
	return r;
}
