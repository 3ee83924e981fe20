/* SPDX-License-Identifier: MIT */
/* A row as vectors of 16 lanes, the last of which may be narrower. */
#ifndef QUILL_VECTOR_H
#define QUILL_VECTOR_H

/* For e = 0, 16, ... below n: m is the number of elements from e on, 16 or what is left. */
#define EACH_VECTOR(e, m, n)							\
	uint32_t e = 0, m; m = (n) - e < LANES ? (n) - e : LANES, e < (n); e += LANES

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

static inline vf vector_load_s8(const int8_t *p, uint32_t m)
{
	int8_t narrow[LANES] = { 0 };

	if (m == LANES)
		return vf_load_s8(p);
	memcpy(narrow, p, m);
	return vf_load_s8(narrow);
}

static inline void vector_store_s8(int8_t *p, vf x, uint32_t m)
{
	int8_t narrow[LANES];

	if (m == LANES) {
		vf_store_s8(p, x);
		return;
	}
	vf_store_s8(narrow, x);
	memcpy(p, narrow, m);
}

static inline float float_canonical(float x)
{
	return x == x ? x : __builtin_nanf("");
}

#endif /* QUILL_VECTOR_H */
