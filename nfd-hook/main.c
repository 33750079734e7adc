/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gpu-nfd-hook: the labels of one scan in NFD's hook format, or as NFD's feature file. NFD runs it
 * inside its own image, which may hold nothing else, without arguments and with the host's sysfs at
 * /host-sys; it drops all output where the exit status is not 0.
 */
#include "base/cleanup.h"
#include "base/err.h"
#include "inventory/devices.h"
#include "inventory/inventory.h"
#include "output/feature_file.h"
#include "output/print.h"
#include "rules/rules.h"
#include "scan/host.h"
#include "scan/scan.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

#define PROGRAM "gpu-nfd-hook"
#define NFD_SYSFS "/host-sys"

enum {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
};
struct wish {
	const char *root, *sysfs;
	const char *features_dir; /* NULL: print */
};

static void show_help(void)
{
	(void)puts("Usage: " PROGRAM " [--root DIR] [--sysfs DIR] [--write[=DIR]]\n\n"
		   "Prints this node's GPU labels in NFD's hook format.\n\n"
		   "  --root DIR      the host's root: its sysfs is DIR/sys\n"
		   "  --sysfs DIR     the host's sysfs; without both: " NFD_SYSFS
		   " where it is there, else /sys\n"
		   "  --write[=DIR]   write NFD's feature file instead, in DIR or in\n"
		   "                  " FEATURE_FILE_DIR "\n"
		   "  --version       show the version\n"
		   "  --help          show this");
}

/* Returns -1 to go on, or the exit status. */
static int parse(int argc, char **argv, struct wish *wish)
{
	static const struct option options[] = {
		{"root", required_argument, NULL, 'r'},  {"sysfs", required_argument, NULL, 's'},
		{"write", optional_argument, NULL, 'w'}, {"version", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},        {0},
	};
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		switch (c) {
		case 'r':
			wish->root = optarg;
			break;
		case 's':
			wish->sysfs = optarg;
			break;
		case 'w':
			wish->features_dir = optarg ? optarg : FEATURE_FILE_DIR;
			break;
		case 'v':
			(void)puts(PROGRAM " " VERSION);
			return EXIT_DONE;
		case 'h':
			show_help();
			return EXIT_DONE;
		default:
			(void)fprintf(stderr, PROGRAM ": %s: %s: see " PROGRAM " --help\n",
				      argv[optind - 1],
				      c == ':' ? "the option lacks its value" : "no such option");
			return EXIT_USAGE;
		}
	}
	if (optind == argc)
		return -1;
	(void)fprintf(stderr,
		      PROGRAM ": %s: there is nothing to do with this argument: see " PROGRAM
			      " --help\n",
		      argv[optind]);
	return EXIT_USAGE;
}

static int read_labels(const struct wish *wish, struct verdict *verdict, struct err *err)
{
	const struct scan_options scan_options = {.devices = &devices_builtin};
	const struct rule_options rule_options = {0};
	CLEANUP(host_close) struct host host = HOST_CLOSED;
	CLEANUP(inventory_clear) struct inventory inventory = {0};
	int r;

	r = host_open(&host, wish->root, wish->sysfs, err);
	if (r == 0)
		r = scan(&host, &scan_options, &inventory, err);
	if (r == 0)
		r = rules_apply(&inventory, &rule_options, verdict, err);
	return r;
}

static int publish(const struct wish *wish, const struct verdict *verdict, struct err *err)
{
	CLEANUP(output_free) struct output *file = NULL;
	int r = 0;

	if (!wish->features_dir)
		print_labels(stdout, &verdict->labels);
	else
		r = feature_file_open(wish->features_dir, 0, &file, err);
	if (file)
		r = output_finish(file, &verdict->labels, 0, err);
	if (fflush(stdout) != 0 || ferror(stdout))
		r = err_set(err, -EIO, "cannot write to standard output: %s", strerror(errno));
	return r;
}

int main(int argc, char **argv)
{
	CLEANUP(verdict_clear) struct verdict verdict = {0};
	struct wish wish = {0};
	struct err err;
	int r = parse(argc, argv, &wish);

	if (r >= 0)
		return r;
	if (!wish.root && !wish.sysfs && access(NFD_SYSFS "/bus/pci", F_OK) == 0)
		wish.sysfs = NFD_SYSFS;
	r = read_labels(&wish, &verdict, &err);
	if (r == 0)
		r = publish(&wish, &verdict, &err);
	for (size_t i = 0; i < verdict.notes.n_items; i++)
		(void)fprintf(stderr, PROGRAM ": %s: %s\n",
			      note_level_name(verdict.notes.items[i].level),
			      verdict.notes.items[i].text);
	if (r < 0)
		(void)fprintf(stderr, PROGRAM ": %s\n", err.text);
	return r < 0 ? EXIT_FAILED : EXIT_DONE;
}
