// SPDX-License-Identifier: MIT
/*
 * quill-dis: what a command stream says.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <accel.h>

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* The largest stream that a job can have. */
#define MAX_SIZE	(1u << 30)

static const char usage[] =
	"Usage: quill-dis [--json] [FILE]\n"
	"\n"
	"Show the commands of a stream: FILE, or standard input, is an array of 64-byte records.\n"
	"\n"
	"  -j, --json     one JSON array, for programs\n"
	"  -h, --help     this text\n"
	"  -V, --version  version of libaccel that this was built with\n"
	"\n"
	"Exits with 1 if a command breaks a rule, and says which.\n";

/* The whole of @f; the caller frees. */
static void *read_all(FILE *f, size_t *size)
{
	size_t room = 1 << 16;
	char *data = NULL, *more;

	for (*size = 0; ; room *= 2) {
		more = realloc(data, room);
		if (!more)
			break;
		data = more;
		*size += fread(data + *size, 1, room - *size, f);
		if (*size < room || room >= MAX_SIZE)
			return data;
	}
	free(data);
	return NULL;
}

/* Returns 0, or 1 with a message. */
static int show(const char *name, FILE *f, bool json)
{
	size_t size;
	char *data = read_all(f, &size);
	int wrong;

	if (!data || ferror(f)) {
		fprintf(stderr, "quill-dis: %s: %s\n", name, strerror(data ? errno : ENOMEM));
		free(data);
		return EXIT_FAILED;
	}
	wrong = accel_stream_print(stdout, data, (uint32_t)(size / ACCEL_RECORD_SIZE), json);
	free(data);
	if (wrong < 0 || fflush(stdout)) {
		fprintf(stderr, "quill-dis: cannot write\n");
		return EXIT_FAILED;
	}
	if (!size || size % ACCEL_RECORD_SIZE || size >= MAX_SIZE) {
		fprintf(stderr, "quill-dis: %s: %zu bytes found, required whole records of %d, at least "
			"one, and less than %u bytes\n", name, size, ACCEL_RECORD_SIZE, MAX_SIZE);
		return EXIT_FAILED;
	}
	if (wrong)
		fprintf(stderr, "quill-dis: %s: %d command%s a rule\n", name, wrong,
			wrong == 1 ? " breaks" : "s break");
	return wrong ? EXIT_FAILED : EXIT_OK;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	bool json = false;
	int opt, ret;
	FILE *f;

	while ((opt = getopt_long(argc, argv, "jhV", options, NULL)) != -1) {
		switch (opt) {
		case 'j':
			json = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_OK;
		case 'V':
			printf("quill-dis %d.%d\n", ACCEL_VERSION_MAJOR, ACCEL_VERSION_MINOR);
			return EXIT_OK;
		default:
			fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	if (argc - optind > 1) {
		fprintf(stderr, "quill-dis: %d files found, required one at most\n%s", argc - optind,
			usage);
		return EXIT_USAGE;
	}
	if (optind == argc || !strcmp(argv[optind], "-"))
		return show("standard input", stdin, json);
	f = fopen(argv[optind], "rb");
	if (!f) {
		fprintf(stderr, "quill-dis: %s: %s\n", argv[optind], strerror(errno));
		return EXIT_FAILED;
	}
	ret = show(argv[optind], f, json);
	fclose(f);
	return ret;
}
