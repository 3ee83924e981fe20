// SPDX-License-Identifier: MIT
/*
 * quill-run: text from a small Llama, computed by a Quill device.
 *
 * Where to read on: gguf.c (the file), weights.c (the model), step.c (a step of the model as commands), model.c
 * (the device's memory and jobs), reference.c (what it is checked against), generate.c and eval.c (the two jobs).
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <accel.h>

#include "run.h"

#define DEFAULT_PROMPT		"The driver"
#define DEFAULT_TOKENS		64
#define DEFAULT_CHECK_STEPS	4

static const char help[] =
"Usage: quill-run [OPTION]... [MODEL]\n"
"Write text with a small Llama model (GGUF, Q8_0, byte vocabulary) on a Quill device.\n"
"\n"
"  -p, --prompt TEXT      text to continue (default \"" DEFAULT_PROMPT "\")\n"
"  -n, --tokens N         bytes to write (default 64)\n"
"  -t, --temperature T    0: always the most likely byte (default 0.8)\n"
"      --top-k K          choose among the K most likely; 0: all (default 40)\n"
"      --top-p P          choose among the fewest with probability P (default 0.95)\n"
"  -s, --seed S           of the choices (default 1)\n"
"  -d, --device PATH      of the device node (default: the first Quill device)\n"
"      --check[=STEPS]    hold the logits of the prompt and of STEPS (default 4) more bytes\n"
"                         against float64 (this is the default)\n"
"      --no-check         do not\n"
"      --eval FILE        measure bits per byte on a text, on the device\n"
"      --eval-host FILE   the same in float64 on the host, without a device\n"
"  -j, --json             print one JSON object\n"
"  -q, --quiet            print the text and what went wrong only\n"
"  -h, --help             print this\n"
"  -V, --version          print the version\n"
"\n"
"Without MODEL, QUILL_MODEL of the environment names the file, or quill-tiny.gguf is looked for\n"
"where this program was built or installed.\n"
"\n"
"Exit status: 0 done, 1 failed (the check included), 2 used wrongly.\n";

enum {
	OPT_TOP_K = 256,
	OPT_TOP_P,
	OPT_CHECK,
	OPT_NO_CHECK,
	OPT_EVAL,
	OPT_EVAL_HOST,
};

static const struct option long_options[] = {
	{ "prompt", required_argument, NULL, 'p' },
	{ "tokens", required_argument, NULL, 'n' },
	{ "temperature", required_argument, NULL, 't' },
	{ "top-k", required_argument, NULL, OPT_TOP_K },
	{ "top-p", required_argument, NULL, OPT_TOP_P },
	{ "seed", required_argument, NULL, 's' },
	{ "device", required_argument, NULL, 'd' },
	{ "check", optional_argument, NULL, OPT_CHECK },
	{ "no-check", no_argument, NULL, OPT_NO_CHECK },
	{ "eval", required_argument, NULL, OPT_EVAL },
	{ "eval-host", required_argument, NULL, OPT_EVAL_HOST },
	{ "json", no_argument, NULL, 'j' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ 0 },
};

int run_error(const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	va_start(args, fmt);
	fputs("quill-run: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
	return RUN_FAILED;
}

double run_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec * 1e-9;
}

__attribute__((noreturn))
static void usage(const char *what, const char *value, const char *wanted)
{
	run_error("%s '%s', but %s is required (see --help)", what, value, wanted);
	exit(RUN_USAGE);
}

static uint64_t whole_number(const char *what, const char *arg, uint64_t max, const char *wanted)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(arg, &end, 0);
	if (errno || end == arg || *end || strchr(arg, '-') || value > max)
		usage(what, arg, wanted);
	return value;
}

static double real_number(const char *what, const char *arg, double lo, double hi,
			  const char *wanted)
{
	double value;
	char *end;

	value = strtod(arg, &end);
	if (end == arg || *end || !(value >= lo && value <= hi))
		usage(what, arg, wanted);
	return value;
}

static void set_eval(struct options *o, const char *file, bool on_host)
{
	if (o->eval)
		usage("a second text to measure:", file, "one --eval or --eval-host");
	o->eval = file;
	o->eval_on_host = on_host;
}

static void parse_option(struct options *o, int opt)
{
	switch (opt) {
	case 'p':
		o->prompt = optarg;
		break;
	case 'n':
		o->tokens = whole_number("--tokens", optarg, INT_MAX, "0..2147483647");
		break;
	case 't':
		o->sampler.temperature = real_number("--temperature", optarg, 0, 1000, "0..1000");
		break;
	case OPT_TOP_K:
		o->sampler.top_k = whole_number("--top-k", optarg, VOCAB, "0..256");
		break;
	case OPT_TOP_P:
		o->sampler.top_p = real_number("--top-p", optarg, 1e-9, 1, "a number over 0, up to 1,");
		break;
	case 's':
		o->sampler.seed = whole_number("--seed", optarg, UINT64_MAX, "0..2^64-1");
		break;
	case 'd':
		o->device = optarg;
		break;
	case OPT_CHECK:
		o->check_steps = optarg ? whole_number("--check", optarg, 1u << 20, "0..1048576") :
				 DEFAULT_CHECK_STEPS;
		break;
	case OPT_NO_CHECK:
		o->check_steps = -1;
		break;
	case OPT_EVAL:
		set_eval(o, optarg, false);
		break;
	case OPT_EVAL_HOST:
		set_eval(o, optarg, true);
		break;
	case 'j':
		o->json = true;
		break;
	case 'q':
		o->quiet = true;
		break;
	case 'h':
		fputs(help, stdout);
		exit(RUN_OK);
	case 'V':
		printf("quill-run %d.%d\n", ACCEL_VERSION_MAJOR, ACCEL_VERSION_MINOR);
		exit(RUN_OK);
	default:
		fputs("Try 'quill-run --help'.\n", stderr);
		exit(RUN_USAGE);
	}
}

/* The model beside the program: as built, or as installed. */
static const char *default_model(void)
{
	static const char *const places[] = {
		"../../tools/models/quill-tiny.gguf",
		"../share/quill/quill-tiny.gguf",
	};
	static char path[PATH_MAX + 64], real[PATH_MAX];
	char self[PATH_MAX];
	ssize_t len;
	size_t i;

	if (getenv("QUILL_MODEL"))
		return getenv("QUILL_MODEL");
	len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[len > 0 ? len : 0] = 0;
	if (strrchr(self, '/'))
		*strrchr(self, '/') = 0;
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", self, places[i]);
		if (!access(path, F_OK))
			return realpath(path, real) ? real : path;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct options o = {
		.prompt = DEFAULT_PROMPT,
		.tokens = DEFAULT_TOKENS,
		.sampler = { .temperature = 0.8, .top_k = 40, .top_p = 0.95, .seed = 1 },
		.check_steps = DEFAULT_CHECK_STEPS,
	};
	struct weights w;
	int opt, ret;

	while ((opt = getopt_long(argc, argv, "p:n:t:s:d:jqhV", long_options, NULL)) != -1)
		parse_option(&o, opt);
	if (argc - optind > 1)
		usage("a second model", argv[optind + 1], "one");
	o.model = optind < argc ? argv[optind] : default_model();
	if (!o.model) {
		run_error("no MODEL given, and no quill-tiny.gguf beside the program (see --help)");
		return RUN_USAGE;
	}

	ret = weights_load(&w, o.model);
	if (ret)
		ret = run_error("%s: %s", o.model, w.error);
	else
		ret = o.eval ? evaluate(&w, &o) : generate(&w, &o);
	weights_free(&w);
	if (fflush(stdout) || ferror(stdout))
		ret = run_error("standard output cannot be written");
	return ret;
}
