// SPDX-License-Identifier: MIT
/*
 * Suite conv: int8 convolution, requantised to int8 by channel, with weights packed beforehand, against oneDNN's. Layers
 * of ResNet-50, one image, and the depthwise layers of MobileNet.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "conv.h"
#include "dnnl.h"

#define LAYER(prefix, side, ic, oc, g, k, s, p)							\
	{ .name = prefix "_" #k "x" #k "s" #s "_" #ic "_" #oc "_at" #side, .in = side,		\
	  .out = (side + 2 * (p) - (k)) / (s) + 1, .in_c = ic, .out_c = oc, .groups = g,	\
	  .taps = k, .stride = s, .pad = p }

static const struct conv_case layers[] = {
	LAYER("r50", 224, 3, 64, 1, 7, 2, 3),
	LAYER("r50", 56, 64, 64, 1, 1, 1, 0),
	LAYER("r50", 56, 64, 64, 1, 3, 1, 1),
	LAYER("r50", 56, 64, 256, 1, 1, 1, 0),
	LAYER("r50", 56, 256, 128, 1, 1, 1, 0),
	LAYER("r50", 56, 128, 128, 1, 3, 2, 1),
	LAYER("r50", 56, 256, 512, 1, 1, 2, 0),
	LAYER("r50", 28, 128, 128, 1, 3, 1, 1),
	LAYER("r50", 28, 512, 128, 1, 1, 1, 0),
	LAYER("r50", 14, 256, 256, 1, 3, 1, 1),
	LAYER("r50", 14, 1024, 256, 1, 1, 1, 0),
	LAYER("r50", 7, 512, 512, 1, 3, 1, 1),
	LAYER("r50", 7, 2048, 512, 1, 1, 1, 0),
	LAYER("dw", 112, 32, 32, 32, 3, 1, 1),
	LAYER("dw", 112, 64, 64, 64, 3, 2, 1),
	LAYER("dw", 56, 128, 128, 128, 3, 1, 1),
	LAYER("dw", 28, 256, 256, 256, 3, 1, 1),
	LAYER("dw", 28, 240, 240, 240, 5, 1, 2),
	LAYER("dw", 14, 512, 512, 512, 3, 1, 1),
	LAYER("dw", 7, 1024, 1024, 1024, 3, 1, 1),
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* struct conv - one layer with one number of threads */
struct conv {
	struct bench *b;
	struct bench_device *device;
	struct conv_case c;
	union quill_cmd cmd[2];
	int8_t *dst;
};

static bool run_device(void *arg)
{
	struct conv *s = arg;

	return bench_device_run(s->device, s->cmd);
}

static size_t pixels(uint32_t side, uint32_t channels)
{
	return (size_t)side * side * channels;
}

static uint32_t rows(const struct conv_case *c)
{
	return c->taps * c->taps * (c->in_c / c->groups);
}

/* A multiplier is a power of two times a 31-bit number, so that a float holds it nearly. */
static void fill_requant(const struct conv_case *c, struct quill_requant *requant)
{
	uint64_t rnd = 3;
	uint32_t i;

	for (i = 0; i < c->out_c; i++) {
		requant[i].mult = (int32_t)(0x40000000 + (bench_random(&rnd) >> 2));
		/* a sum's spread is 74 * 74 * sqrt(k): bring it to some 40 */
		requant[i].shift = 30 + 7 + (int32_t)(log2((double)rows(c)) / 2);
		c->scale[i] = (float)ldexp(requant[i].mult, -requant[i].shift);
	}
}

static void pack(const struct conv_case *c, uint8_t *packed)
{
	uint32_t in = c->in_c / c->groups, out = c->out_c / c->groups, taps = c->taps * c->taps;
	bool depthwise = quill_conv_depthwise(c->in_c, c->out_c, c->groups);
	uint32_t o, t, i;

	out = depthwise ? c->out_c : out;
	for (o = 0; o < c->out_c; o++)
		for (t = 0; t < taps; t++)
			for (i = 0; i < in; i++)
				packed[o / out * quill_packed_size(out, rows(c)) +
				       quill_packed_offset(o % out, t * in + i, rows(c))] =
					(uint8_t)(c->weight[((size_t)o * in + i) * taps + t] + 128);
}

static void fill_command(struct conv *s, uint64_t src, uint64_t weight, uint64_t dst,
			 uint64_t requant)
{
	const struct conv_case *c = &s->c;

	s->cmd[0].conv2d = (struct quill_cmd_conv2d){
		.hdr = { .opcode = QUILL_OP_CONV2D, .ext = 1, .type_a = QUILL_TYPE_S8,
			 .type_b = QUILL_TYPE_S8, .type_d = QUILL_TYPE_S8 },
		.src = src, .weight = weight, .dst = dst, .batch = 1, .in_h = (uint16_t)c->in,
		.in_w = (uint16_t)c->in, .out_h = (uint16_t)c->out, .out_w = (uint16_t)c->out,
		.in_c = (uint16_t)c->in_c, .out_c = (uint16_t)c->out_c,
		.groups = (uint16_t)c->groups, .kh = (uint8_t)c->taps, .kw = (uint8_t)c->taps,
		.stride_h = (uint8_t)c->stride, .stride_w = (uint8_t)c->stride, .dilation_h = 1,
		.dilation_w = 1,
	};
	s->cmd[1].conv2d_ext = (struct quill_ext_conv2d){
		.hdr = { .opcode = QUILL_OP_EXT }, .scale = requant, .src_stride = c->in_c,
		.dst_stride = c->out_c, .pad_top = (uint16_t)c->pad, .pad_left = (uint16_t)c->pad,
		.lo = -128, .hi = 127,
	};
}

static bool make_device(struct conv *s, unsigned int threads)
{
	const struct conv_case *c = &s->c;
	uint64_t packed = quill_conv_packed_size(c->in_c, c->out_c, c->groups, c->taps, c->taps);
	uint64_t src, weight, dst, requant;
	struct quill_requant *table;

	s->device = bench_device_new(s->b, threads, pixels(c->in, c->in_c) + packed +
				     pixels(c->out, c->out_c));
	if (!s->device)
		return false;
	memcpy(bench_device_alloc(s->device, pixels(c->in, c->in_c), &src), c->src,
	       pixels(c->in, c->in_c));
	pack(c, bench_device_alloc(s->device, packed, &weight));
	s->dst = bench_device_alloc(s->device, pixels(c->out, c->out_c), &dst);
	table = bench_device_alloc(s->device, c->out_c * sizeof(*table), &requant);
	fill_requant(c, table);
	fill_command(s, src, weight, dst, requant);
	return true;
}

/* Theirs rounds in float32, ours exactly: a result may differ by one. */
static bool same_result(const struct conv *s)
{
	size_t i, n = pixels(s->c.out, s->c.out_c);

	for (i = 0; i < n; i++)
		if (abs(s->dst[i] - s->c.dst[i]) > 1) {
			fprintf(stderr, "quill-bench: element %zu is %d here and %d in oneDNN, expected equal within 1\n",
				i, s->dst[i], s->c.dst[i]);
			return false;
		}
	return true;
}

static bool run_turns(struct conv *s, unsigned int threads, const char *name)
{
	double work = 2.0 * (double)pixels(s->c.out, s->c.out_c) * rows(&s->c);
	struct conv_peer *peer = conv_peer_new(&s->c, threads);
	struct bench_limit *peak = bench_peak_new(s->b, threads);
	struct bench_times times;
	bool ok = peer && peak;

	if (ok) {
		struct bench_side side[] = {
			{ .run = run_device, .arg = s },
			{ .run = conv_peer_run, .arg = peer },
			bench_limit_side(peak, work),
		};

		ok = bench_turns(s->b, side, COUNT(side), &times) && same_result(s);
	}
	if (ok)
		bench_report(s->b, &(struct bench_result){
			.name = name, .metric = "throughput", .unit = "GOPS",
			.value = 1e-9 * work / times.seconds[0],
			.peer = bench_dnnl_name(), .peer_value = 1e-9 * work / times.seconds[1],
			.ratio = times.ratio[1], .limit = "peak", .of_limit = times.ratio[2],
		});
	bench_limit_free(peak);
	conv_peer_free(peer);
	return ok;
}

static bool run_layer(struct bench *b, const struct conv_case *layer, unsigned int threads)
{
	struct conv s = { .b = b, .c = *layer };
	size_t weights = (size_t)layer->out_c * rows(layer), i;
	uint64_t rnd = 1;
	char name[64];
	bool ok;

	snprintf(name, sizeof(name), "%s_t%u", layer->name, threads);
	if (!bench_wants(b, name))
		return true;
	s.c.src = bench_alloc(pixels(layer->in, layer->in_c));
	s.c.weight = bench_alloc(weights);
	s.c.dst = bench_alloc(pixels(layer->out, layer->out_c));
	s.c.scale = bench_alloc(layer->out_c * sizeof(*s.c.scale));
	for (i = 0; i < pixels(layer->in, layer->in_c); i++)
		s.c.src[i] = (int8_t)bench_random(&rnd);
	for (i = 0; i < weights; i++)
		s.c.weight[i] = (int8_t)bench_random(&rnd);
	ok = make_device(&s, threads) && run_turns(&s, threads, name);
	bench_device_free(s.device);
	free(s.c.src);
	free(s.c.weight);
	free(s.c.dst);
	free(s.c.scale);
	return ok;
}

static bool run(struct bench *b)
{
	unsigned int i, threads;
	bool ok = true;

	bench_head(b, "int8 convolution with requantisation, and oneDNN's");
	for (i = 0; i < COUNT(layers); i++)
		for (threads = 1; threads <= 2 && ok; threads++)
			ok = run_layer(b, &layers[i], threads);
	return ok;
}

const struct bench_suite suite_conv = {
	.name = "conv",
	.what = "int8 convolution with requantisation, against oneDNN",
	.run = run,
};
