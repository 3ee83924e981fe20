/* SPDX-License-Identifier: MIT */
/*
 * Which elements of a row come first in the order by value, largest first, and of equals by index, lowest first: the
 * first k of them, or so many as are needed to a given weight. Nothing is sorted but what is wanted. TOPK and
 * SAMPLE; kernels_*.c includes it.
 */
#ifndef QUILL_SELECT_LOOPS_H
#define QUILL_SELECT_LOOPS_H

#include <math.h>

#include "engine.h"
#include "vector.h"

/* Orders as values do, larger above; zeros of both signs are equal; NaN is below everything: 0. */
static inline uint32_t select_key(float x)
{
	uint32_t bits;

	if (x != x)
		return 0;
	/* -0 + 0 = +0 */
	x += 0.0f;
	memcpy(&bits, &x, sizeof(bits));
	return bits >> 31 ? ~bits : bits | 0x80000000u;
}

/* An element as a number: the first in the order is the least. */
static inline uint64_t select_place(float x, uint32_t index)
{
	return (uint64_t)~select_key(x) << 32 | index;
}

static inline uint32_t select_index(uint64_t place)
{
	return (uint32_t)place;
}

/* What has this key; of zeros, either. */
static inline float select_value(uint32_t key)
{
	uint32_t bits = key >> 31 ? key & 0x7fffffff : ~key;
	float x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

static inline void select_sink(uint64_t *heap, uint32_t at, uint32_t n)
{
	uint64_t x = heap[at];
	uint32_t child;

	for (; (child = 2 * at + 1) < n; at = child) {
		if (child + 1 < n && heap[child + 1] > heap[child])
			child++;
		if (heap[child] <= x)
			break;
		heap[at] = heap[child];
	}
	heap[at] = x;
}

/* To so many, it is faster to count for each how many are less than to branch on what cannot be foreseen. */
#define SELECT_FEW	128u

static inline void select_rank(uint64_t *x, uint32_t n)
{
	uint64_t from[SELECT_FEW];
	uint32_t i, j;

	memcpy(from, x, n * sizeof(*x));
	for (i = 0; i < n; i++) {
		uint64_t rank = 0;

		for (j = 0; j < n; j++)
			rank += from[j] < from[i];
		x[rank] = from[i];
	}
}

/* Ascending. All are different, so that every way to sort gives the same. */
static inline void select_sort(uint64_t *x, uint32_t n)
{
	uint64_t last;
	uint32_t i;

	if (n <= SELECT_FEW) {
		select_rank(x, n);
		return;
	}
	for (i = n / 2; i-- > 0; )
		select_sink(x, i, n);
	for (i = n; i-- > 1; ) {
		last = x[i];
		x[i] = x[0];
		x[0] = last;
		select_sink(x, 0, i);
	}
}

static inline void select_swap(uint64_t *a, uint64_t *b)
{
	uint64_t x = *a;

	*a = *b;
	*b = x;
}

/* The least k of n come first, in any order, the largest of them last. */
static inline void select_least(uint64_t *x, uint32_t n, uint32_t k)
{
	uint32_t low = 0, high = n - 1, mid, i, at, less;

	if (n <= SELECT_FEW) {
		select_rank(x, n);
		return;
	}
	while (low < high) {
		/* the middle one of three goes to the end: what is sorted already is no trouble */
		mid = low + (high - low) / 2;
		if (x[mid] < x[low])
			select_swap(&x[mid], &x[low]);
		if (x[high] < x[low])
			select_swap(&x[high], &x[low]);
		if (x[mid] < x[high])
			select_swap(&x[mid], &x[high]);
		/* always exchanged, so that nothing depends on what is hard to foresee */
		for (i = at = low; i < high; i++) {
			less = x[i] < x[high];
			select_swap(&x[i], &x[at]);
			at += less;
		}
		select_swap(&x[at], &x[high]);
		if (at == k - 1)
			return;
		if (at < k - 1)
			low = at + 1;
		else
			high = at - 1;
	}
}

/* Elements that have been seen and may be among the first k: at most twice as many, and a vector. */
struct select_best {
	int32_t index[2 * QUILL_TOPK_MAX + 2 * LANES];
	uint64_t place[2 * QUILL_TOPK_MAX + LANES];
	uint32_t k, n;
	/* Below or equal to this no element is any more; NaN: there is no limit yet. */
	float limit;
};

/* Down to k again, the last of which is at the end. */
static inline void select_cut(struct select_best *best, const float *x)
{
	uint32_t i;

	for (i = 0; i < best->n; i++)
		best->place[i] = select_place(x[best->index[i]], (uint32_t)best->index[i]);
	select_least(best->place, best->n, best->k);
	best->n = best->k;
	for (i = 0; i < best->k; i++)
		best->index[i] = (int32_t)select_index(best->place[i]);
	best->limit = x[best->index[best->k - 1]];
}

/* Elements @from .. @to - 1. Nothing here depends on which are found, until they are too many. */
static inline void select_scan(struct select_best *best, const float *x, uint32_t from, uint32_t to)
{
	static const int32_t lane[LANES] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
	vi index = vi_add(vi_load(lane), vi_set1((int32_t)from));
	uint32_t n = best->n;

	OVER_VECTORS(e, m, to - from) {
		uint32_t above = (1u << m) - 1;

		if (best->limit == best->limit)
			above &= vf_above_bits(vector_load(x + from + e, m), vf_set1(best->limit));
		n += vi_pick(best->index + n, index, above);
		index = vi_add(index, vi_set1(LANES));
		if (n >= 2 * best->k) {
			best->n = n;
			select_cut(best, x);
			n = best->n;
		}
	}
	best->n = n;
}

/*
 * A long row is cut into parts, and of each part's lanes the largest elements are taken: a look at these shows which
 * parts have something above a limit. And they, or the largest of several of them, are a limit themselves before the
 * first element is looked at: all of the first k are above what k of them are above.
 */
#define SELECT_PARTS	256u
#define SELECT_PART	128u		/* elements, at least */

struct select_parts {
	float most[SELECT_PARTS][LANES];
	uint32_t n, size;
};

/* Whole parts of row @x; what is left is less than one. */
static inline void select_divide(struct select_parts *parts, const float *x, uint32_t n)
{
	/* whole vectors, rounded up */
	uint32_t size = n / SELECT_PARTS + LANES, i, e;

	parts->size = size = size < SELECT_PART ? SELECT_PART : size - size % LANES;
	parts->n = n / size;
	for (i = 0; i < parts->n; i++, x += size) {
		vf most = vf_set1(-INFINITY);

		/* NaN never are the largest */
		for (e = 0; e < size; e += LANES)
			most = vf_max(vf_load(x + e), most);
		vf_store(parts->most[i], most);
	}
}

/* How many are above. */
static inline uint32_t select_above(const float (*x)[LANES], uint32_t n, float limit)
{
	uint32_t count = 0, i;

	for (i = 0; i < n; i++)
		count += (uint32_t)__builtin_popcount(vf_above_bits(vf_load(x[i]), vf_set1(limit)));
	return count;
}

/* What k of them or few more are above; NaN: there are not so many numbers. */
static inline float select_bound(const float (*x)[LANES], uint32_t n, uint32_t k)
{
	uint32_t low = select_key(-INFINITY), high = select_key(INFINITY), mid, count;

	if (select_above(x, n, -INFINITY) < k)
		return __builtin_nanf("");
	while (high - low > 1) {
		mid = low + (high - low) / 2;
		count = select_above(x, n, select_value(mid));
		if (count < k) {
			high = mid;
			continue;
		}
		low = mid;
		if (count <= k + k / 8)
			break;
	}
	return select_value(low);
}

/* What all of the first k are above; NaN: not known. */
static inline float select_limit(const struct select_parts *parts, uint32_t k)
{
	/* 2k, so that many of the first k are alone in theirs */
	float group[2 * QUILL_TOPK_MAX / LANES + 1][LANES];
	uint32_t groups = (2 * k + LANES - 1) / LANES, each = parts->n / groups, i, j;

	if (!each)
		return __builtin_nanf("");
	for (i = 0; i < groups; i++) {
		vf most = vf_load(parts->most[i * each]);

		for (j = 1; j < each; j++)
			most = vf_max(vf_load(parts->most[i * each + j]), most);
		vf_store(group[i], most);
	}
	return select_bound(group, groups, k);
}

/* The first k of a row of at least k, in order. */
static inline void select_first(struct select_best *best, const float *x, uint32_t n, uint32_t k)
{
	uint32_t wanted[SELECT_PARTS], count = 0, i;
	struct select_parts parts;
	vf limit;

	best->k = k;
	best->n = 0;
	select_divide(&parts, x, n);
	best->limit = select_limit(&parts, k);
	limit = vf_set1(best->limit);
	for (i = 0; i < parts.n; i++) {
		wanted[count] = i * parts.size;
		count += best->limit != best->limit || vf_above_bits(vf_load(parts.most[i]), limit);
	}
	for (i = 0; i < count; i++)
		select_scan(best, x, wanted[i], wanted[i] + parts.size);
	select_scan(best, x, parts.n * parts.size, n);
	select_cut(best, x);
	select_sort(best->place, k);
}

/* ---- To a weight ---- */

#define SELECT_BITS	11
#define SELECT_BUCKETS	(1u << SELECT_BITS)

/* The weights of elements whose keys begin with @prefix, by the next bits. NaN weigh nothing. */
static inline void select_count(const float *x, const uint32_t *weight, uint32_t n, uint32_t prefix,
				uint32_t mask, int shift, uint64_t *bucket)
{
	uint32_t i, key;

	memset(bucket, 0, SELECT_BUCKETS * sizeof(*bucket));
	for (i = 0; i < n; i++) {
		key = select_key(x[i]);
		if ((key & mask) == prefix && key)
			bucket[key >> shift & (SELECT_BUCKETS - 1)] += weight ? weight[i] : 1;
	}
}

/*
 * The place of the element with which the weights, added up in the order, reach @target: from 1 to their sum. @weight
 * NULL: each weighs 1. The key is found from its highest bits down, then the index among equals.
 */
static inline uint64_t select_to(const float *x, const uint32_t *weight, uint32_t n, uint64_t target)
{
	static const int shifts[] = { 21, 10, 0 };
	uint64_t bucket[SELECT_BUCKETS];
	uint32_t prefix = 0, mask = 0, b, i;
	int level;

	for (level = 0; level < 3; level++) {
		select_count(x, weight, n, prefix, mask, shifts[level], bucket);
		for (b = SELECT_BUCKETS - 1; bucket[b] < target && b; b--)
			target -= bucket[b];
		/* the last level has 10 bits of its own, and one that is the same in all */
		prefix |= b << shifts[level];
		mask |= (SELECT_BUCKETS - 1) << shifts[level];
	}
	for (i = 0; i < n; i++) {
		uint64_t w = weight ? weight[i] : 1;

		if (select_key(x[i]) != prefix)
			continue;
		if (w >= target)
			break;
		target -= w;
	}
	return (uint64_t)~prefix << 32 | i;
}

#endif /* QUILL_SELECT_LOOPS_H */
