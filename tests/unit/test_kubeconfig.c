/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"
#include "tree.h"

#include "base/err.h"
#include "kube/access.h"
#include "output/identity.h"

#define CONTEXT "current-context: a\ncontexts:\n- name: a\n  context: {cluster: c, user: u}\n"
#define CLUSTER "clusters:\n- name: c\n  cluster: {server: 'https://k:6443/'}\n"
#define USER "users:\n- name: u\n  user: {token: t}\n"

static int find(const char *text, const char *context, struct kube_access *access, struct err *err)
{
	CLEANUP(tree_close) struct tree tree;
	char path[128];

	tree_open(&tree);
	tree_file(&tree, text, "conf");
	(void)snprintf(path, sizeof(path), "%s/conf", tree.root);
	return kube_access_find(path, context, access, err);
}

static struct bad_row {
	const char *name, *text, *says;
} bad_rows[] = {
	{"no YAML", "a: [", "conf:2: no YAML"},
	{"a list for the whole", "- a\n", "conf:1: is no map"},
	{"an empty file", "", "conf:1: current-context is missing"},
	{"no such context", "current-context: b\n" CLUSTER,
	 "contexts: there is none of the name b"},
	{"no such cluster", CONTEXT "clusters: []\n", "clusters: there is none of the name c"},
	{"no such user", CONTEXT CLUSTER "users: []\n", "users: there is none of the name u"},
	{"contexts that are a map", "current-context: a\ncontexts: {a: b}\n",
	 "conf:2: contexts: is no list"},
	{"a cluster that is text", CONTEXT "clusters:\n- name: c\n  cluster: x\n",
	 "conf:7: cluster: is no map"},
	{"a server that is a list", CONTEXT "clusters:\n- name: c\n  cluster: {server: []}\n",
	 "server: is no text"},
	{"no server", CONTEXT "clusters:\n- name: c\n  cluster: {proxy-url: x}\n",
	 "server is missing"},
	{"a server without scheme", CONTEXT "clusters:\n- name: c\n  cluster: {server: k}\n" USER,
	 "\"k\" does not start with https://"},
	{"a server in the clear",
	 CONTEXT "clusters:\n- name: c\n  cluster: {server: 'http://k'}\n" USER,
	 "does not start with https://"},
	{"a scheme without server",
	 CONTEXT "clusters:\n- name: c\n  cluster: {server: 'https://'}\n" USER, "has no host"},
	{"a cycle", "current-context: a\ncontexts: &x\n- *x\n", "conf:2: an item: is no map"},
	{"a map that holds itself", CONTEXT "clusters:\n- &x {name: c, cluster: *x}\n",
	 "server is missing"},
	{"a certificate that is no base64",
	 CONTEXT "clusters:\n- name: c\n  cluster: {server: 'https://k', "
		 "certificate-authority-data: '!'}\n" USER,
	 "certificate-authority-data: is no PEM in base64"},
	{"a certificate that is no PEM",
	 CONTEXT "clusters:\n- name: c\n  cluster: {server: 'https://k', "
		 "certificate-authority-data: Z3B1cw==}\n" USER,
	 "certificate-authority-data: is no PEM in base64"},
	{"a CA that nobody looks at",
	 CONTEXT "clusters:\n- name: c\n  cluster: {server: 'https://k', certificate-authority: "
		 "a, insecure-skip-tls-verify: true}\n" USER,
	 "are both set"},
	{"neither true nor false",
	 CONTEXT "clusters:\n- name: c\n  cluster: {server: 'https://k', "
		 "insecure-skip-tls-verify: yes}\n" USER,
	 "neither true nor false"},
	{"basic auth", CONTEXT CLUSTER "users:\n- name: u\n  user: {username: a}\n",
	 "conf:10: username: basic auth is gone"},
	{"an auth-provider",
	 CONTEXT CLUSTER "users:\n- name: u\n  user: {auth-provider: {name: gcp}}\n",
	 "auth-provider: is gone from Kubernetes"},
	{"impersonation", CONTEXT CLUSTER "users:\n- name: u\n  user: {as: root}\n",
	 "as: impersonation"},
	{"a certificate without its key",
	 CONTEXT CLUSTER "users:\n- name: u\n  user: {client-certificate: a}\n",
	 "client-certificate has no client-key"},
	{"a plugin without command",
	 CONTEXT CLUSTER "users:\n- name: u\n  user: {exec: {args: []}}\n",
	 "exec: command is missing"},
	{"a plugin of an old API",
	 CONTEXT CLUSTER "users:\n- name: u\n  user: {exec: {command: a, apiVersion: "
			 "client.authentication.k8s.io/v1alpha1}}\n",
	 "exec: apiVersion"},
	{"a plugin that asks a person",
	 CONTEXT CLUSTER "users:\n- name: u\n  user: {exec: {command: a, apiVersion: "
			 "client.authentication.k8s.io/v1, interactiveMode: Always}}\n",
	 "asks a person"},
	{"a plugin's argument that is a map",
	 CONTEXT CLUSTER "users:\n- name: u\n  user: {exec: {command: a, args: [{}]}}\n",
	 "an item: is no text"},
};

static void check_bad(void **state)
{
	const struct bad_row *row = *state;
	CLEANUP(kube_access_clear) struct kube_access access = {0};
	struct err err = {0};

	assert_int_equal(find(row->text, NULL, &access, &err), -EINVAL);
	if (!strstr(err.text, row->says))
		fail_msg("\"%s\" does not say \"%s\"", err.text, row->says);
	assert_null(access.server);
}

static void everything_is_read(void **state)
{
	const char text[] =
		"current-context: other\n"
		"contexts:\n- name: a\n  context: {cluster: c, user: u, namespace: gpus}\n"
		"clusters:\n- name: c\n  cluster:\n"
		"    server: https://[fd00::1]:6443///\n"
		"    certificate-authority-data: LS0tLS1CRUdJTiA=\n"
		"    tls-server-name: kubernetes\n    proxy-url: http://proxy:3128\n"
		"users:\n- name: u\n  user:\n"
		"    tokenFile: sub/token\n    token: second\n"
		"    client-certificate: /abs/cert\n    client-key-data: LS0tLS1CRUdJTiA=\n"
		"    username: ~\n"
		"    exec:\n      apiVersion: client.authentication.k8s.io/v1\n"
		"      command: bin/plugin\n      args: [get, token]\n"
		"      env: [{name: A, value: b=c}, {name: D}]\n      provideClusterInfo: true\n";
	CLEANUP(kube_access_clear) struct kube_access access = {0};
	struct err err;

	(void)state;
	if (find(text, "a", &access, &err))
		fail_msg("%s", err.text);
	assert_string_equal(access.server, "https://[fd00::1]:6443");
	assert_string_equal(access.namespace, "gpus");
	assert_string_equal(access.ca.text, "-----BEGIN ");
	assert_string_equal(access.tls_server_name, "kubernetes");
	assert_string_equal(access.proxy_url, "http://proxy:3128");
	assert_non_null(strstr(access.token_file, "/gpu-labeler-test-"));
	assert_non_null(strstr(access.token_file, "/sub/token")); /* beside the kubeconfig */
	assert_string_equal(access.token, "second");
	assert_string_equal(access.cert.file, "/abs/cert");
	assert_string_equal(access.key.text, "-----BEGIN ");
	assert_non_null(strstr(access.exec.command, "/bin/plugin"));
	assert_string_equal(access.exec.args[1], "token");
	assert_null(access.exec.args[2]);
	assert_string_equal(access.exec.env[0], "A=b=c");
	assert_string_equal(access.exec.env[1], "D=");
	assert_true(access.exec.wants_cluster);
	assert_false(access.insecure);
}

static void the_first_of_several_files_wins(void **state)
{
	CLEANUP(tree_close) struct tree tree;
	CLEANUP(kube_access_clear) struct kube_access access = {0};
	char paths[512];
	struct err err;

	(void)state;
	tree_open(&tree);
	tree_file(&tree, CLUSTER, "one");
	tree_file(&tree, CONTEXT USER "clusters:\n- name: c\n  cluster: {server: 'https://no'}\n",
		  "two");
	(void)snprintf(paths, sizeof(paths), "%s/none:%s/one:%s/two", tree.root, tree.root,
		       tree.root);
	if (kube_access_find(paths, NULL, &access, &err))
		fail_msg("%s", err.text);
	assert_string_equal(access.server, "https://k:6443");
	assert_string_equal(access.token, "t");
}

static void a_large_file_is_none(void **state)
{
	CLEANUP(tree_close) struct tree tree;
	CLEANUP(kube_access_clear) struct kube_access access = {0};
	char path[128];
	struct err err;

	(void)state;
	tree_open(&tree);
	tree_file(&tree, "a: b\n", "conf");
	(void)snprintf(path, sizeof(path), "%s/conf", tree.root);
	assert_int_equal(truncate(path, 100 << 20), 0);
	assert_int_equal(kube_access_find(path, NULL, &access, &err), -EINVAL);
	assert_non_null(strstr(err.text, "larger than 4 MiB"));
}

static void a_pod_has_its_environment(void **state)
{
	CLEANUP(kube_access_clear) struct kube_access access = {0};
	struct err err;

	(void)state;
	(void)setenv("KUBERNETES_SERVICE_HOST", "fd00::1", 1);
	(void)setenv("KUBERNETES_SERVICE_PORT", "443", 1);
	assert_int_equal(kube_access_find(NULL, NULL, &access, &err), 0);
	assert_string_equal(access.server, "https://[fd00::1]:443");
	assert_string_equal(access.token_file,
			    "/var/run/secrets/kubernetes.io/serviceaccount/token");
	kube_access_clear(&access);
	(void)setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1", 1);
	assert_int_equal(kube_access_find("", "", &access, &err), 0);
	assert_string_equal(access.server, "https://10.0.0.1:443");
	(void)unsetenv("KUBERNETES_SERVICE_HOST");
}

static void nowhere_to_go_is_said(void **state)
{
	CLEANUP(kube_access_clear) struct kube_access access = {0};
	struct err err;

	(void)state;
	(void)setenv("HOME", "/nowhere", 1);
	assert_int_equal(kube_access_find(NULL, NULL, &access, &err), -EINVAL);
	assert_non_null(strstr(err.text, "no API server: there is no /nowhere/.kube/config"));
}

/* ---- what stands in the files ---- */

static struct file_row {
	const char *name, *token, *ca, *says;
} file_rows[] = {
	{"both are there", "abc\n", "-----BEGIN CERTIFICATE-----", NULL},
	{"an empty token", "\n", "-----BEGIN CERTIFICATE-----", "token: the token is empty"},
	{"a token of two lines", "abc\nX-Evil: yes\n", "-----BEGIN CERTIFICATE-----",
	 "has a blank or no text"},
	{"no token", NULL, "-----BEGIN CERTIFICATE-----", "token: cannot be read: No such file"},
	{"a CA that is no PEM", "abc", "hello", "ca: holds no PEM (BEGIN CERTIFICATE)"},
	{"no CA", "abc", NULL, "ca: cannot be read"},
};

static void check_files(void **state)
{
	const struct file_row *row = *state;
	CLEANUP(tree_close) struct tree tree;
	CLEANUP(kube_credentials_clear) struct kube_credentials have = {0};
	char ca[128];
	char token[128];
	const struct kube_access access = {.ca.file = ca, .token_file = token};
	struct err err = {0};

	tree_open(&tree);
	if (row->token)
		tree_file(&tree, row->token, "token");
	if (row->ca)
		tree_file(&tree, row->ca, "ca");
	(void)snprintf(ca, sizeof(ca), "%s/ca", tree.root);
	(void)snprintf(token, sizeof(token), "%s/token", tree.root);
	assert_int_equal(kube_credentials_read(&access, &have, &err) < 0, row->says != NULL);
	if (row->says && !strstr(err.text, row->says))
		fail_msg("\"%s\" does not say \"%s\"", err.text, row->says);
	if (!row->says)
		assert_string_equal(have.token, "abc");
}

/* ---- who we are ---- */

#define TOKEN_OF_GPU_7                                                                             \
	"x.eyJrdWJlcm5ldGVzLmlvIjp7Im5hbWVzcGFjZSI6ImdwdSIsIm5vZGUiOnsibmFtZSI6ImdwdS03IiwidWlkI"  \
	"joidS03In19fQ.y"

static struct who_row {
	const char *name, *token, *node, *namespace;
	const char *want_node, *want_namespace, *says;
} who_rows[] = {
	{"the token says it", TOKEN_OF_GPU_7, NULL, NULL, "gpu-7", "gpu", NULL},
	{"both say the same", TOKEN_OF_GPU_7, "gpu-7", NULL, "gpu-7", "gpu", NULL},
	{"they say different names", TOKEN_OF_GPU_7, "gpu-8", NULL, NULL, NULL,
	 "node name \"gpu-8\", but the token is for node \"gpu-7\""},
	{"the settings say it", "t", "gpu-8", NULL, "gpu-8", "default", NULL},
	{"nobody says it", "t", NULL, NULL, NULL, NULL, "which node is this?"},
	{"a name that is a path", "t", "a/../b", NULL, NULL, NULL, "none of Kubernetes"},
	{"a name with a query", "t", "a?b", NULL, NULL, NULL, "none of Kubernetes"},
	{"another namespace", TOKEN_OF_GPU_7, NULL, "nfd", "gpu-7", "nfd", NULL},
	{"a namespace that is none", TOKEN_OF_GPU_7, NULL, "a.b", NULL, NULL, "namespace \"a.b\""},
};

static void check_who(void **state)
{
	const struct who_row *row = *state;
	CLEANUP(tree_close) struct tree tree;
	CLEANUP(identity_clear) struct identity identity = {0};
	auto_free char *text = NULL;
	char path[128];
	const struct identity_wish wish = {path, NULL, row->node, row->namespace};
	struct err err = {0};

	tree_open(&tree);
	if (asprintf(&text, CONTEXT CLUSTER "users:\n- name: u\n  user: {token: %s}\n",
		     row->token) < 0)
		abort();
	tree_file(&tree, text, "conf");
	(void)snprintf(path, sizeof(path), "%s/conf", tree.root);
	assert_int_equal(identity_find(&wish, &identity, &err), row->says ? -EINVAL : 0);
	if (row->says && !strstr(err.text, row->says))
		fail_msg("\"%s\" does not say \"%s\"", err.text, row->says);
	if (row->says)
		return;
	assert_string_equal(identity.node, row->want_node);
	assert_string_equal(identity.namespace, row->want_namespace);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_read),
		cmocka_unit_test(the_first_of_several_files_wins),
		cmocka_unit_test(a_large_file_is_none),
		cmocka_unit_test(a_pod_has_its_environment),
		cmocka_unit_test(nowhere_to_go_is_said),
	};

	return RUN_ROWS(bad_rows, check_bad) + RUN_ROWS(file_rows, check_files) +
	       RUN_ROWS(who_rows, check_who) +
	       cmocka_run_group_tests_name("kubeconfig", tests, NULL, NULL);
}
