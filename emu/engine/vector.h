/* SPDX-License-Identifier: MIT */
/*
 * A row as vectors of 16 lanes, the last of which may be narrower; and results that stream.
 *
 * A result that is larger than the caches is written past them: a line need not be read before it is written, and
 * nothing that is still wanted makes room for it. While such a command looks at a row for the second or third time,
 * it fetches the next, so that memory is never idle.
 */
#ifndef QUILL_VECTOR_H
#define QUILL_VECTOR_H

/* For e = 0, 16, ... below n: m is the number of elements from e on, 16 or what is left. */
#define EACH_VECTOR(e, m, n)							\
	uint32_t e = 0, m; m = (n) - e < LANES ? (n) - e : LANES, e < (n); e += LANES

/*
 * The same where speed counts: the compiler unrolls the outer loop, so that the inner one for whole vectors has m for
 * a constant and asks nothing. (break leaves the inner one.)
 */
#define OVER_VECTORS(e, m, n)								\
	_Pragma("GCC unroll 2")								\
	for (uint32_t e = 0, last_ = 0; last_ < 2; last_++)				\
		for (uint32_t m = last_ ? (n) - e : LANES;				\
		     e < (last_ ? (n) : (n) - (n) % LANES); e += LANES)

/* A function that is compiled once for each choice of its constant arguments. */
#define TEMPLATE static inline __attribute__((always_inline))

/* The longest row that waits in a buffer on the stack, in elements, and is fetched ahead. */
#define VECTOR_BUFFER	8192u

/* Absent lanes are +0. */
static inline vf vector_load(const float *p, uint32_t m)
{
	return m == LANES ? vf_load(p) : vf_load_first(p, (int)m);
}

/* A result: its NaN are the one NaN. */
static inline void vector_store(float *p, vf x, uint32_t m)
{
	x = vf_canonical(x);
	if (m == LANES)
		vf_store(p, x);
	else
		vf_store_first(p, x, (int)m);
}

/* What has no NaN but the one, past the caches if @stream. */
TEMPLATE void vector_put(float *p, vf x, uint32_t m, const bool stream)
{
	if (m != LANES)
		vf_store_first(p, x, (int)m);
	else if (stream)
		vf_stream(p, x);
	else
		vf_store(p, x);
}

/* vector_store(), past the caches if @stream. */
TEMPLATE void vector_write(float *p, vf x, uint32_t m, const bool stream)
{
	vector_put(p, vf_canonical(x), m, stream);
}

/* vector_write() of what arithmetic gave. */
TEMPLATE void vector_result(float *p, vf x, uint32_t m, const bool stream)
{
	vector_put(p, vf_canonical_result(x), m, stream);
}

/* Rows from @p on, @stride bytes apart, can be streamed as is @wanted. */
static inline bool vector_streams(bool wanted, const void *p, size_t stride)
{
	return wanted && ((uintptr_t)p | stride) % 64 == 0;
}

/* What a vector, some time later, is read from; it need not exist. */
TEMPLATE void vector_fetch(const float *p, const bool fetch)
{
	if (fetch)
		__builtin_prefetch(p, 0, 2);
}

static inline vf vector_load_s8(const int8_t *p, uint32_t m)
{
	int8_t narrow[LANES] = { 0 };

	if (m == LANES)
		return vf_load_s8(p);
	memcpy(narrow, p, m % LANES);
	return vf_load_s8(narrow);
}

TEMPLATE void vector_write_s8(int8_t *p, vf x, uint32_t m, const bool stream)
{
	int8_t narrow[LANES];

	if (m == LANES) {
		if (stream)
			vf_stream_s8(p, x);
		else
			vf_store_s8(p, x);
		return;
	}
	vf_store_s8(narrow, x);
	memcpy(p, narrow, m % LANES);
}

static inline void vector_store_s8(int8_t *p, vf x, uint32_t m)
{
	vector_write_s8(p, x, m, false);
}

static inline float float_canonical(float x)
{
	return x == x ? x : __builtin_nanf("");
}

#endif /* QUILL_VECTOR_H */
