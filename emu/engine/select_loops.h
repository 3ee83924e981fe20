/* SPDX-License-Identifier: MIT */
/*
 * Which elements of a row come first in the order by value, largest first, and of equals by index, lowest first: the
 * first k of them, or so many as are needed to a given weight. Nothing is sorted but what is wanted. TOPK and
 * SAMPLE; kernels_*.c includes it.
 */
#ifndef QUILL_SELECT_LOOPS_H
#define QUILL_SELECT_LOOPS_H

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

/* Ascending. All are different, so that every way to sort gives the same. */
static inline void select_sort(uint64_t *x, uint32_t n)
{
	uint64_t last;
	uint32_t i;

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
	uint64_t place[2 * QUILL_TOPK_MAX + LANES];
	uint32_t k, n;
	/* Below or equal to this no element is any more; NaN: there is no limit yet. */
	float limit;
};

/* Down to k again. */
static inline void select_cut(struct select_best *best, const float *x)
{
	select_least(best->place, best->n, best->k);
	best->n = best->k;
	best->limit = x[select_index(best->place[best->k - 1])];
}

/* The first k of a row of at least k, in order. Most vectors have no element above the limit. */
static inline void select_first(struct select_best *best, const float *x, uint32_t n, uint32_t k)
{
	best->k = k;
	best->n = 0;
	best->limit = __builtin_nanf("");
	OVER_VECTORS(e, m, n) {
		uint32_t above = (1u << m) - 1;

		if (best->limit == best->limit)
			above &= vf_above_bits(vector_load(x + e, m), vf_set1(best->limit));
		for (; above; above &= above - 1) {
			uint32_t i = e + (uint32_t)__builtin_ctz(above);

			best->place[best->n++] = select_place(x[i], i);
		}
		if (best->n >= 2 * k)
			select_cut(best, x);
	}
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
