/* SPDX-License-Identifier: MIT */
/* The trees of 16 rows: lane r of the result is that of row r. Plain C; fold_avx512.h is the same for AVX-512. */
#ifndef QUILL_FOLD_LOOPS_H
#define QUILL_FOLD_LOOPS_H

static inline vf fold_max(const float (*x)[LANES])
{
	float tree[LANES];

	for (int r = 0; r < LANES; r++)
		tree[r] = vf_tree_max(vf_load(x[r]));
	return vf_load(tree);
}

static inline vf fold_sum(const float (*x)[LANES])
{
	float tree[LANES];

	for (int r = 0; r < LANES; r++)
		tree[r] = vf_tree_sum(vf_load(x[r]));
	return vf_load(tree);
}

static inline vi fold_most(const int32_t (*x)[LANES])
{
	int32_t tree[LANES];

	for (int r = 0; r < LANES; r++)
		tree[r] = vi_most(vi_load(x[r]));
	return vi_load(tree);
}

#endif /* QUILL_FOLD_LOOPS_H */
