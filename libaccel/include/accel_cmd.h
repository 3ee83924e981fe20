/* SPDX-License-Identifier: MIT */
/*
 * libaccel: one function for each command, which appends it to a stream. Part of accel.h, which includes it; docs/isa.md
 * defines what the commands compute.
 */
#ifndef ACCEL_CMD_H
#define ACCEL_CMD_H

#ifndef ACCEL_H
#error "include accel.h"
#endif

/* ---- Commands ----------------------------------------------------------------------- */

/*
 * One function a command. Each checks its command as the device will, appends it and returns 0,
 * -EINVAL (the error names the field, what it is and what it must be) or -ENOSPC (the stream is
 * full). Memory is looked at only when the command runs: an address that is not bound then is a
 * fault of the job.
 */

/** enum accel_type - of an element */
enum accel_type {
	/** @ACCEL_S8: int8_t */
	ACCEL_S8 = 1,
	/** @ACCEL_S32: int32_t */
	ACCEL_S32 = 2,
	/** @ACCEL_F32: IEEE binary32 */
	ACCEL_F32 = 3,
	/** @ACCEL_BF16: bfloat16, the upper half of a float */
	ACCEL_BF16 = 4,
	/** @ACCEL_F16: IEEE binary16 */
	ACCEL_F16 = 5,
	/** @ACCEL_E4M3: OCP's 8-bit float with 4 bits of exponent */
	ACCEL_E4M3 = 6,
	/** @ACCEL_E5M2: OCP's 8-bit float with 5 bits of exponent */
	ACCEL_E5M2 = 7,
	/** @ACCEL_Q8_0: GGUF's blocks of 32 values of 8 bits and a scale */
	ACCEL_Q8_0 = 8,
	/** @ACCEL_Q4_0: GGUF's blocks of 32 values of 4 bits and a scale */
	ACCEL_Q4_0 = 9,
	/** @ACCEL_S4: -8..7, two to a byte */
	ACCEL_S4 = 10,
};

/**
 * struct accel_cmd_opts - when a command runs; NULL or all zero: when all earlier ones have
 * finished
 *
 * A job has 31 semaphores, 1..31, that start at 0.
 */
struct accel_cmd_opts {
	/** @unordered: start without waiting for earlier commands, but in order on its engine. */
	bool unordered;
	/** @wait_sem: start when this semaphore has reached @wait_value; 0: none. */
	uint8_t wait_sem;
	/** @signal_sem: add one to this semaphore at the end; 0: none. */
	uint8_t signal_sem;
	/** @seq: a mark in the record, for who reads streams; the driver does not hand it back yet. */
	uint16_t seq;
	/** @wait_value: for @wait_sem; 0 if that is 0. */
	uint32_t wait_value;
};

/** accel_cmd_nop() - do nothing */
int accel_cmd_nop(struct accel_stream *stream, const struct accel_cmd_opts *opts);

/**
 * accel_cmd_fence() - decode no further until all earlier commands have finished; opts->unordered
 * has no meaning
 */
int accel_cmd_fence(struct accel_stream *stream, const struct accel_cmd_opts *opts);

/**
 * accel_cmd_sem_wait() - decode no further until a semaphore has reached a value
 * @stream: the stream
 * @sem: 1..31
 * @value: least value
 */
int accel_cmd_sem_wait(struct accel_stream *stream, uint32_t sem, uint32_t value);

/**
 * accel_cmd_sem_signal() - add one to a semaphore
 * @stream: the stream
 * @sem: 1..31
 * @opts: or NULL; its signal_sem must be 0
 */
int accel_cmd_sem_signal(struct accel_stream *stream, uint32_t sem,
			 const struct accel_cmd_opts *opts);

/**
 * accel_cmd_jump() - go on at another record of the stream
 * @stream: the stream
 * @record: index of the record, as accel_stream_records() counts; one still to come is
 *	checked by accel_queue_submit()
 */
int accel_cmd_jump(struct accel_stream *stream, uint32_t record);

/**
 * accel_cmd_call() - decode another stream to its end, then go on
 * @stream: the stream
 * @callee: a stream of the same vm, as long as it is now; it must be neither reset nor destroyed while
 *	a job that calls it is on its way. It may call others: 8 deep.
 */
int accel_cmd_call(struct accel_stream *stream, const struct accel_stream *callee);

/* Registers of a job, all 0 at its start; fields that one PATCH changes; values that end one LOOP. */
#define ACCEL_REGISTERS		16
#define ACCEL_PATCHES		6
#define ACCEL_LOOP_STOPS	4

/**
 * struct accel_loop - a loop, from @record to here
 */
struct accel_loop {
	/** @record: where a round begins: index of a record, as accel_stream_records() counted. */
	uint32_t record;
	/** @reg: register that counts the rounds, 0..15: it grows by one. */
	uint32_t reg;
	/** @limit: the loop ends when @reg has reached it. */
	uint32_t limit;
	/** @stops: or, if this is not 0, when the int32 at @word is one of the first @stops of @stop. */
	uint32_t stops;
	int32_t stop[ACCEL_LOOP_STOPS];
	/** @word: device address, 4-byte aligned, or 0; with it, LOOP waits for all earlier commands. */
	uint64_t word;
};

/** accel_cmd_loop() - once more, or on */
int accel_cmd_loop(struct accel_stream *stream, const struct accel_loop *loop);

/** accel_cmd_set() - register @reg becomes @value */
int accel_cmd_set(struct accel_stream *stream, uint32_t reg, uint32_t value);

/** accel_cmd_add() - register @reg grows by @value, modulo 2^32 */
int accel_cmd_add(struct accel_stream *stream, uint32_t reg, uint32_t value);

/**
 * accel_cmd_load() - a register becomes what lies in memory when all earlier commands have finished
 * @stream: the stream
 * @reg: 0..15
 * @word: device address of a uint32_t, 4-byte aligned
 * @max: a larger value ends the job with a fault
 */
int accel_cmd_load(struct accel_stream *stream, uint32_t reg, uint64_t word, uint32_t max);

/**
 * struct accel_patch - a field of the next command grows by a register times a factor
 */
struct accel_patch {
	/** @field: its name in uapi/quill/isa.h ("n_kv", "src"); one of 32 or 64 bits. */
	const char *field;
	/** @reg: 0..15. */
	uint32_t reg;
	int32_t scale;
};

/**
 * accel_cmd_patch() - let registers change the next command, each time that it is decoded
 * @stream: the stream
 * @patches: what to change
 * @count: 1..ACCEL_PATCHES
 *
 * Written when the next command is; if that one is refused, this is forgotten too. What the command is without
 * the registers has to keep all rules, and on the device what it is with them.
 *
 * Return: 0 or -EINVAL.
 */
int accel_cmd_patch(struct accel_stream *stream, const struct accel_patch *patches,
		    unsigned int count);

/**
 * accel_cmd_timestamp() - store the device time since the job's start, in cycles
 * @stream: the stream
 * @dst: device address of a uint64_t, 8-byte aligned
 * @opts: or NULL
 */
int accel_cmd_timestamp(struct accel_stream *stream, uint64_t dst,
			const struct accel_cmd_opts *opts);

/**
 * accel_cmd_copy() - copy memory, as memmove() would
 * @stream: the stream
 * @dst: device address
 * @src: device address
 * @size: bytes, 1..2^40
 * @opts: or NULL
 */
int accel_cmd_copy(struct accel_stream *stream, uint64_t dst, uint64_t src, uint64_t size,
		   const struct accel_cmd_opts *opts);

/**
 * struct accel_copy_2d - rows to copy, one after the other
 */
struct accel_copy_2d {
	/** @dst: device address. */
	uint64_t dst;
	/** @src: device address. */
	uint64_t src;
	/** @width: bytes of a row, 1..2^40. */
	uint64_t width;
	/** @height: rows, 1..2^24. */
	uint32_t height;
	/** @dst_stride: bytes from row to row, at least @width. */
	uint32_t dst_stride;
	/** @src_stride: bytes from row to row; 0 repeats one row. */
	uint32_t src_stride;
};

/** accel_cmd_copy_2d() - copy rows of bytes */
int accel_cmd_copy_2d(struct accel_stream *stream, const struct accel_copy_2d *copy,
		      const struct accel_cmd_opts *opts);

/**
 * struct accel_transpose - matrices to transpose, all of one shape
 *
 * Element (i, j) of matrix b is at src + (b * src_step + i * src_stride + j) * elem, and goes to
 * dst + (b * dst_step + j * dst_stride + i) * elem.
 */
struct accel_transpose {
	/** @dst: device address, a multiple of @elem. */
	uint64_t dst;
	/** @src: device address, a multiple of @elem. */
	uint64_t src;
	/** @rows: of @src, 1..2^24. */
	uint32_t rows;
	/** @cols: of @src, 1..2^24. */
	uint32_t cols;
	/** @elem: bytes of an element: 1, 2, 4 or 8. */
	uint32_t elem;
	/** @dst_stride: elements from row to row, at least @rows; 0: @rows. */
	uint32_t dst_stride;
	/** @src_stride: elements from row to row, at least @cols; 0: @cols. */
	uint32_t src_stride;
	/** @batch: matrices, 1..2^24; 0: 1. There are at most 2^40 elements in all. */
	uint32_t batch;
	/** @dst_step: elements from matrix to matrix; 0: @rows * @cols. */
	uint32_t dst_step;
	/** @src_step: elements from matrix to matrix; 0: the same one for all. */
	uint32_t src_step;
};

/** accel_cmd_transpose() - transpose matrices; results must not overlap */
int accel_cmd_transpose(struct accel_stream *stream, const struct accel_transpose *transpose,
			const struct accel_cmd_opts *opts);

/**
 * struct accel_fill - rows to fill with one element
 */
struct accel_fill {
	/** @dst: device address, a multiple of @elem. */
	uint64_t dst;
	/** @value: the element; bits beyond @elem are zero. */
	uint64_t value;
	/** @width: bytes of a row, a multiple of @elem, @elem..2^40. */
	uint64_t width;
	/** @elem: bytes of the element: 1, 2, 4 or 8. */
	uint32_t elem;
	/** @height: rows, 1..2^24; 0 is taken as 1. */
	uint32_t height;
	/**
	 * @dst_stride: bytes from row to row, a multiple of @elem, at least @width (if @height is
	 *	over 1).
	 */
	uint32_t dst_stride;
};

/** accel_cmd_fill() - fill memory */
int accel_cmd_fill(struct accel_stream *stream, const struct accel_fill *fill,
		   const struct accel_cmd_opts *opts);

/**
 * struct accel_requant - a real factor as mult / 2^shift; same bytes as struct quill_requant
 */
struct accel_requant {
	/** @mult: 0..2^31-1. */
	int32_t mult;
	/** @shift: 0..62. */
	int32_t shift;
};

/** enum accel_gemm_act - a function of a float result: that of accel_cmd_act() */
enum accel_gemm_act {
	ACCEL_GEMM_NO_ACT = 0,
	ACCEL_GEMM_RELU = 1,
	ACCEL_GEMM_SIGMOID = 2,
	ACCEL_GEMM_SILU = 3,
	ACCEL_GEMM_TANH = 4,
	ACCEL_GEMM_GELU = 5,
	ACCEL_GEMM_GELU_ERF = 6,
};

/** enum accel_gemm_layout - how B lies in memory, but for blocks and S4 */
enum accel_gemm_layout {
	/** @ACCEL_GEMM_PACKED: as accel_pack() makes it. */
	ACCEL_GEMM_PACKED = 0,
	/** @ACCEL_GEMM_ROWS: B[k][n] at b + k * ldb + n elements. */
	ACCEL_GEMM_ROWS = 1,
	/** @ACCEL_GEMM_COLUMNS: B[k][n] at b + n * ldb + k elements. */
	ACCEL_GEMM_COLUMNS = 2,
};

/** enum accel_gemm_scales - by which scales float results become int8 */
enum accel_gemm_scales {
	/** @ACCEL_GEMM_SCALE_ROWS: float[m], each found for its row and stored. */
	ACCEL_GEMM_SCALE_ROWS = 0,
	/** @ACCEL_GEMM_SCALE_COLUMNS: float[n], given. */
	ACCEL_GEMM_SCALE_COLUMNS = 1,
	/** @ACCEL_GEMM_SCALE_TENSOR: one float, given. */
	ACCEL_GEMM_SCALE_TENSOR = 2,
};

/**
 * struct accel_gemm_batch - many products, alike but for where their operands are
 *
 * Steps are in bytes from one product's operand to the next's, multiples of what the operand is aligned to; 0: all use the
 * same. Of row_scale and of a d_scale of rows each product has its own m entries, one behind the other.
 */
struct accel_gemm_batch {
	/** @count: products, 1..65536. */
	uint32_t count;
	/** @column_step: entries of bias, scale, residual_mult and a d_scale of columns from one product to the next; 0: all use the same. */
	uint32_t column_step;
	uint64_t a_step;
	uint64_t b_step;
	uint64_t d_step;
	/** @gate_step: 0 without a gate. */
	uint64_t gate_step;
	/** @residual_step: 0 without a residual. */
	uint64_t residual_step;
};

/**
 * struct accel_gemm - D[m][n] = epilogue(sum over k of A[m][k] * B[k][n])
 *
 * A is row-major int8, B was packed by accel_pack_s8(), D is row-major. Sums are exact. By @type_d:
 *
 *  ACCEL_S32: sum + bias[n] (int32_t bias), modulo 2^32;
 *  ACCEL_S8: clamp(round((sum + bias[n]) * mult[n] / 2^shift[n]) + zero, lo, hi), one rounding,
 *  half to even;
 *  ACCEL_F32: sum * scale[n] (* row_scale[m]), or that fused with + bias[n] (float bias).
 *
 * With other weights than int8 sums are float, and so is D. @type_b ACCEL_Q8_0 and ACCEL_Q4_0: B is as in a GGUF file,
 * a row an output; ACCEL_S4: B was packed by accel_pack() and has a scale for each @group of k; A is int8, with a scale a
 * row or a group (as accel_cmd_quantise() makes them), or none. @type_a and @type_b ACCEL_BF16,
 * ACCEL_E4M3 or ACCEL_E5M2, in any combination: B was packed by accel_pack(). docs/isa.md has the order of additions.
 *
 * A field of 0 takes the default that it names, so that a dense GEMM sets a, b, d, m, n, k, type_d
 * (and scale).
 */
struct accel_gemm {
	/** @a: device address of A[m][lda], of @type_a. */
	uint64_t a;
	/**
	 * @b: device address of packed B, 64-byte aligned, accel_packed_size_of(type_b, n, k) bytes; or of n rows of
	 *	blocks, @ldb bytes apart, 2-byte aligned.
	 */
	uint64_t b;
	/** @d: device address of D[m][ldd], aligned to its element. */
	uint64_t d;
	/** @m: rows of A and D, 1..2^24. */
	uint32_t m;
	/** @n: columns of B and D, 1..2^24. */
	uint32_t n;
	/** @k: columns of A, rows of B, 1..65536. */
	uint32_t k;
	/** @lda: elements from row to row of A, at least @k; 0: @k. */
	uint32_t lda;
	/** @ldd: elements from row to row of D, at least @n; 0: @n. */
	uint32_t ldd;
	/** @type_d: elements of D. */
	enum accel_type type_d;
	/** @type_a: elements of A; 0: ACCEL_S8. */
	enum accel_type type_a;
	/** @type_b: elements of B; 0: ACCEL_S8. */
	enum accel_type type_b;
	/** @bias: device address of int32_t[n] (ACCEL_F32: float[n]), 4-byte aligned; 0: none. */
	uint64_t bias;
	/**
	 * @scale: device address. ACCEL_S8: struct accel_requant[n], 8-byte aligned; ACCEL_F32:
	 *	float[n]; ACCEL_S32: 0. With @type_b ACCEL_S4: float[k / group][n]; with other weights than
	 *	int8 0 stands for ones.
	 */
	uint64_t scale;
	/** @row_scale: ACCEL_F32: device address of float[m], or see @row_scale_stride; 0: none. */
	uint64_t row_scale;
	/** @ldb: ACCEL_Q8_0, ACCEL_Q4_0: bytes from row to row of blocks, even; 0: no gaps. */
	uint32_t ldb;
	/** @group: ACCEL_S4: elements of k that share a scale, a multiple of 32 that divides @k. */
	uint32_t group;
	/**
	 * @row_scale_stride: with blocks or ACCEL_S4: float[m][k / group] is at @row_scale, so many floats from row to
	 *	row; 0: float[m].
	 */
	uint32_t row_scale_stride;
	/** @zero: ACCEL_S8: zero point, -128..127. */
	int32_t zero;
	/** @lo: ACCEL_S8: least result, -128..127. Both @lo and @hi 0: -128 and 127. */
	int32_t lo;
	/** @hi: ACCEL_S8: largest result, @lo..127. */
	int32_t hi;
	/** @act: of float results, with scales and bias behind them. */
	enum accel_gemm_act act;
	/** @gate: device address of float[m][gate_stride], which float results are multiplied by then; 0: none. */
	uint64_t gate;
	/**
	 * @residual: device address of float[m][residual_stride], which is added last; 0: none. With @type_d ACCEL_S8 and no
	 *	@d_scale: of int8_t[m][residual_stride], of which (residual - residual_zero) * residual_mult[n] is added
	 *	to (sum + bias[n]) * mult[n] before the division; may be @d, with its stride.
	 */
	uint64_t residual;
	/** @residual_mult: with a residual of int8: device address of int32_t[n]; else 0. */
	uint64_t residual_mult;
	/** @residual_zero: with a residual of int8: its zero point, -128..127. */
	int32_t residual_zero;
	/** @gate_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t gate_stride;
	/** @residual_stride: likewise. */
	uint32_t residual_stride;
	/**
	 * @d_scale: with @type_d ACCEL_S8: device address of float[m], a result: the results are floats (so @scale is
	 *	float[n]), of which each row is quantised by its own scale, as accel_cmd_quantise() does; 0: by @scale.
	 */
	uint64_t d_scale;
	/**
	 * @d_scales: what @d_scale is. Given scales are read: the results are clamp(round(x / scale) + zero, lo, hi), as
	 *	accel_cmd_quantise() makes them with scales that are given.
	 */
	enum accel_gemm_scales d_scales;
	/** @accumulate: ACCEL_S32, ACCEL_F32: the result is added to D; without @residual. */
	bool accumulate;
	/** @a_transposed: A[m][k] is at a + k * lda + m elements; @lda at least @m, 0: @m. */
	bool a_transposed;
	/** @layout: of B of int8 or floats; with @ldb in elements if it is not packed, 0: no gaps. */
	enum accel_gemm_layout layout;
	/** @batch: NULL: one product. */
	const struct accel_gemm_batch *batch;
};

/** accel_cmd_gemm() - multiply matrices; takes two records, three with what follows @hi, four with a batch */
int accel_cmd_gemm(struct accel_stream *stream, const struct accel_gemm *gemm,
		   const struct accel_cmd_opts *opts);

/**
 * struct accel_pages - where the pages of a cache of keys and values are
 *
 * All zero: there are none, and keys follow each other. Otherwise key j is key j % page_size of page
 * table[j / page_size], which begins page_stride elements behind the one before it, in K and V and,
 * divided by the elements of a head, in their scales. Results do not depend on where pages are.
 */
struct accel_pages {
	/** @table: device address of uint32_t, one for each page_size keys; entries below @count. */
	uint64_t table;
	/** @page_size: keys of a page: 16, 32, ... 65536. */
	uint32_t page_size;
	/** @page_stride: elements from page to page; 0: page_size * kv_stride. */
	uint32_t page_stride;
	/** @count: pages of the pool, up to 2^24. */
	uint32_t count;
};

/** enum accel_attention_weights - how attention multiplies weights with values */
enum accel_attention_weights {
	/** @ACCEL_WEIGHTS_F32: in float, key by key */
	ACCEL_WEIGHTS_F32 = 0,
	/** @ACCEL_WEIGHTS_S16: rounded to 16 bits, 64 keys at a time: faster, and within 1/1024 */
	ACCEL_WEIGHTS_S16 = 1,
};

/**
 * struct accel_attention - out = softmax(Q K^T * softmax_scale) V, head by head
 *
 * n_heads / n_kv_heads consecutive heads of queries share a head of keys and values. Element e of
 * head h of query i is at q + i * q_stride + h * head_dim + e, in out likewise; element e of head g
 * of key j is at k + j * kv_stride + g * kv_head_stride + e, in v likewise. Each (i, h) of q and
 * each (j, g) of k and of v has a float scale, in arrays that have the layout of their tensor with
 * the last dimension dropped: strides divided by head_dim. Scales are those of
 * accel_quantise_rows_s8() with a row a head.
 *
 * A stride of 0 takes the default that it names: dense tensors.
 */
struct accel_attention {
	/**
	 * @type_kv: of k and v: ACCEL_S8 (or 0), with q the same; or ACCEL_BF16, without scales
	 */
	enum accel_type type_kv;
	/** @type_q: of q: if @type_kv is ACCEL_BF16: ACCEL_F32 (or 0) or ACCEL_BF16. */
	enum accel_type type_q;
	/** @q: device address of Q. */
	uint64_t q;
	/** @k: device address of K. */
	uint64_t k;
	/** @v: device address of V. */
	uint64_t v;
	/** @out: device address of the result, float, 4-byte aligned. */
	uint64_t out;
	/** @q_scale: ACCEL_S8: device address of floats, 4-byte aligned; else 0. */
	uint64_t q_scale;
	/** @k_scale: ACCEL_S8: device address of floats, 4-byte aligned; else 0. */
	uint64_t k_scale;
	/** @v_scale: ACCEL_S8: device address of floats, 4-byte aligned; else 0. */
	uint64_t v_scale;
	/** @n_q: queries, 1..65536; at most @n_kv if @causal. */
	uint32_t n_q;
	/** @n_kv: keys, 1..2^20. */
	uint32_t n_kv;
	/** @n_heads: heads of queries, 1..1024, a multiple of @n_kv_heads. */
	uint32_t n_heads;
	/** @n_kv_heads: heads of keys and values, 1..1024. */
	uint32_t n_kv_heads;
	/** @head_dim: elements of a head: 16, 32, ... 256. */
	uint32_t head_dim;
	/**
	 * @q_stride: elements from query to query, a multiple of @head_dim; 0: n_heads * head_dim.
	 */
	uint32_t q_stride;
	/** @out_stride: elements from query to query of the result; 0: n_heads * head_dim. */
	uint32_t out_stride;
	/**
	 * @kv_stride: elements from key to key, a multiple of @head_dim; 0: n_kv_heads * head_dim.
	 */
	uint32_t kv_stride;
	/**
	 * @kv_head_stride: elements from head to head of K and V, a multiple of @head_dim; 0:
	 *	@head_dim.
	 */
	uint32_t kv_head_stride;
	/** @softmax_scale: finite; 1 / sqrt(head_dim) as a rule. */
	float softmax_scale;
	/** @causal: query i sees keys 0 .. n_kv - n_q + i; else all. */
	bool causal;
	/** @window: if @causal: and of these the last @window; 0: all. */
	uint32_t window;
	/** @weights: ACCEL_WEIGHTS_F32 unless speed is more. */
	enum accel_attention_weights weights;
	/**
	 * @state: device address of float[n_q][n_heads][2]: where the largest score and the sum of
	 *	each query and head go, for accel_cmd_merge(); 0: nowhere.
	 */
	uint64_t state;
	/** @pages: of keys and values, and of their scales. */
	struct accel_pages pages;
};

/**
 * accel_cmd_attention() - fused attention; takes two records, and a third for window, weights, state or
 * pages
 */
int accel_cmd_attention(struct accel_stream *stream, const struct accel_attention *attention,
			const struct accel_cmd_opts *opts);

/**
 * struct accel_merge - attention over all keys from results over parts of them
 *
 * A part is what accel_cmd_attention() stored in out and state, the parts one behind the other.
 */
struct accel_merge {
	/** @src: device address of the results, float[parts][rows][heads][dim]. */
	uint64_t src;
	/** @state: device address of float[parts][rows][heads][2]. */
	uint64_t state;
	/** @dst: device address of the result, float[rows][heads][dim]. */
	uint64_t dst;
	/** @dst_state: where the state of the whole goes, float[rows][heads][2]; 0: nowhere. */
	uint64_t dst_state;
	/** @rows: queries, 1..65536. */
	uint32_t rows;
	/** @parts: 1..1024. */
	uint32_t parts;
	/** @heads: 1..1024. */
	uint32_t heads;
	/** @dim: elements of a head: 16, 32, ... 256. */
	uint32_t dim;
	/** @src_stride: elements from query to query; 0: heads * dim. */
	uint32_t src_stride;
	/** @dst_stride: elements from query to query; 0: heads * dim. */
	uint32_t dst_stride;
	/** @part_stride: elements from part to part of src; 0: rows * src_stride. */
	uint32_t part_stride;
	/** @state_stride: floats from part to part of state; 0: rows * heads * 2. */
	uint32_t state_stride;
};

/** accel_cmd_merge() - join splits of a long context; VECTOR, takes two records */
int accel_cmd_merge(struct accel_stream *stream, const struct accel_merge *merge,
		    const struct accel_cmd_opts *opts);

/**
 * struct accel_kv_append - keys and values of new tokens into a cache that attention reads
 *
 * Token i becomes key pos + i. For a cache of ACCEL_S8 each head of it is quantised with a scale of
 * its own, as by accel_quantise_rows_s8() with a row a head; for ACCEL_BF16 it is rounded.
 */
struct accel_kv_append {
	/** @type_kv: of the cache: ACCEL_S8 (or 0), or ACCEL_BF16, without scales. */
	enum accel_type type_kv;
	/** @k_src: device address of keys, float[tokens][heads][dim]. */
	uint64_t k_src;
	/** @v_src: device address of values, likewise. */
	uint64_t v_src;
	/** @k: device address of the cache's K, as in struct accel_attention. */
	uint64_t k;
	/** @v: device address of the cache's V. */
	uint64_t v;
	/** @k_scale: ACCEL_S8: device address of floats; else 0. */
	uint64_t k_scale;
	/** @v_scale: ACCEL_S8: device address of floats; else 0. */
	uint64_t v_scale;
	/** @tokens: 1..65536. */
	uint32_t tokens;
	/** @pos: keys in the cache before these. */
	uint32_t pos;
	/** @heads: of keys and values, 1..1024. */
	uint32_t heads;
	/** @dim: elements of a head: 16, 32, ... 256. */
	uint32_t dim;
	/** @src_stride: elements from token to token of k_src and v_src; 0: heads * dim. */
	uint32_t src_stride;
	/** @kv_stride: elements from key to key; 0: heads * dim. */
	uint32_t kv_stride;
	/** @kv_head_stride: elements from head to head; 0: dim. */
	uint32_t kv_head_stride;
	/** @pages: as in struct accel_attention. */
	struct accel_pages pages;
};

/** accel_cmd_kv_append() - quantise into the cache; VECTOR, takes two records */
int accel_cmd_kv_append(struct accel_stream *stream, const struct accel_kv_append *append,
			const struct accel_cmd_opts *opts);

/*
 * Commands of the VECTOR engine work on matrices of float, row by row: row i of an operand is at
 * its address plus i strides. Addresses are 4-byte aligned (those of int8_t need not be). A stride
 * of 0 is that of a dense matrix. A result may replace an operand of the same type, with the same
 * address and stride; otherwise it must not overlap one. docs/isa.md says what they compute, to the
 * bit, and what becomes of NaN and infinity.
 */

/**
 * struct accel_norm - rows of RMSNORM or LAYERNORM, of x = src or src + residual
 */
struct accel_norm {
	/** @src: device address of float[rows][src_stride]. */
	uint64_t src;
	/** @dst: device address of the result, float[rows][dst_stride]. */
	uint64_t dst;
	/** @weight: device address of float[n]. */
	uint64_t weight;
	/** @bias: LAYERNORM: device address of float[n]; 0: none. */
	uint64_t bias;
	/** @residual: device address of float[rows][residual_stride], added to @src; 0: none. */
	uint64_t residual;
	/** @sum: where src + residual goes, float[rows][src_stride]; 0: nowhere. */
	uint64_t sum;
	/** @rows: 1..2^24. */
	uint32_t rows;
	/** @n: elements of a row, 1..2^24. */
	uint32_t n;
	/** @src_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t src_stride;
	/** @dst_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t dst_stride;
	/** @residual_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t residual_stride;
	/** @eps: added to the mean square or variance: finite, not negative. */
	float eps;
};

/** accel_cmd_rmsnorm() - x / sqrt(mean(x^2) + eps) * weight; takes two records */
int accel_cmd_rmsnorm(struct accel_stream *stream, const struct accel_norm *norm,
		      const struct accel_cmd_opts *opts);

/**
 * accel_cmd_layernorm() - (x - mean(x)) / sqrt(variance(x) + eps) * weight + bias; takes two
 * records
 */
int accel_cmd_layernorm(struct accel_stream *stream, const struct accel_norm *norm,
			const struct accel_cmd_opts *opts);

/**
 * struct accel_softmax - exp(x * scale - max) / sum, a row at a time
 */
struct accel_softmax {
	/** @src: device address of float[rows][src_stride]. */
	uint64_t src;
	/** @dst: device address of the result, float[rows][dst_stride]. */
	uint64_t dst;
	/** @rows: 1..2^24. */
	uint32_t rows;
	/** @n: elements of a row, 1..2^24. */
	uint32_t n;
	/** @src_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t src_stride;
	/** @dst_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t dst_stride;
	/** @scale: finite; 0: 1. */
	float scale;
};

/** accel_cmd_softmax() - softmax of rows */
int accel_cmd_softmax(struct accel_stream *stream, const struct accel_softmax *softmax,
		      const struct accel_cmd_opts *opts);

/**
 * struct accel_rope - rotary position embedding: pairs of elements turn by angles
 *
 * The table has, for each row, rotary / 2 pairs of cosine and sine: pair j turns (x, y), the j-th pair
 * of every head of that row, into (x cos - y sin, x sin + y cos).
 */
struct accel_rope {
	/** @src: device address of float[rows][src_stride], a row being [heads][dim]. */
	uint64_t src;
	/** @dst: device address of the result, float[rows][dst_stride]. */
	uint64_t dst;
	/** @table: device address of float[rows][rotary / 2][2]. */
	uint64_t table;
	/** @rows: 1..2^24. */
	uint32_t rows;
	/** @heads: of a row, 1..1024. */
	uint32_t heads;
	/** @dim: elements of a head, even, 2..256. */
	uint32_t dim;
	/** @src_stride: elements from row to row, at least heads * dim; 0: heads * dim. */
	uint32_t src_stride;
	/** @dst_stride: elements from row to row, at least heads * dim; 0: heads * dim. */
	uint32_t dst_stride;
	/**
	 * @halves: pair j is elements j and j + rotary / 2 (GPT-NeoX), not 2j and 2j + 1 (Llama's GGUF
	 *	files).
	 */
	bool halves;
	/** @rotary: the first elements of each head, even: only these turn, the others are copied; 0: @dim. */
	uint32_t rotary;
};

/** accel_cmd_rope() - turn rows by their positions */
int accel_cmd_rope(struct accel_stream *stream, const struct accel_rope *rope,
		   const struct accel_cmd_opts *opts);

/**
 * struct accel_quantise - rows of float to or from int8_t, with a scale for each group of elements
 */
struct accel_quantise {
	/** @src: device address of [rows][src_stride]: float to quantise, int8_t to dequantise. */
	uint64_t src;
	/** @dst: device address of the result, [rows][dst_stride], of the other type. */
	uint64_t dst;
	/**
	 * @scale: device address of float[rows][scale_stride], one a group: a result to quantise
	 *	unless @given, an operand to dequantise.
	 */
	uint64_t scale;
	/** @rows: 1..2^24. */
	uint32_t rows;
	/** @n: elements of a row, 1..2^24. */
	uint32_t n;
	/** @group: elements that share a scale, divides @n; 0: @n, a scale a row. */
	uint32_t group;
	/** @src_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t src_stride;
	/** @dst_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t dst_stride;
	/** @scale_stride: scales from row to row, at least n / group; 0: n / group. */
	uint32_t scale_stride;
	/** @given: to quantise: @scale is an operand. */
	bool given;
	/** @scale_row: @scale, an operand, is one row for all. */
	bool scale_row;
	/** @zero: if @given: zero point, -128..127. */
	int32_t zero;
	/** @lo: if @given: least result, -128..127. Both @lo and @hi 0: -128 and 127. */
	int32_t lo;
	/** @hi: if @given: largest result, @lo..127. */
	int32_t hi;
};

/**
 * accel_cmd_quantise() - float to int8_t: scale = max |x| / 127 of the group, round(x / scale); the
 * bits of accel_quantise_rows_s8(). With given scales clamp(round(x / scale) + zero, lo, hi), and two
 * records: group 0 and a scale_row is a scale for all, group 1 and a scale_row one a column.
 */
int accel_cmd_quantise(struct accel_stream *stream, const struct accel_quantise *quantise,
		       const struct accel_cmd_opts *opts);

/** accel_cmd_dequantise() - int8_t to float: x * scale */
int accel_cmd_dequantise(struct accel_stream *stream, const struct accel_quantise *quantise,
			 const struct accel_cmd_opts *opts);

/** enum accel_eltwise_op - of two elements */
enum accel_eltwise_op {
	/** @ACCEL_ELTWISE_ADD: a + b */
	ACCEL_ELTWISE_ADD = 0,
	/** @ACCEL_ELTWISE_SUB: a - b */
	ACCEL_ELTWISE_SUB = 1,
	/** @ACCEL_ELTWISE_MUL: a * b */
	ACCEL_ELTWISE_MUL = 2,
	/** @ACCEL_ELTWISE_MAX: the larger */
	ACCEL_ELTWISE_MAX = 3,
	/** @ACCEL_ELTWISE_MIN: the smaller */
	ACCEL_ELTWISE_MIN = 4,
};

/**
 * struct accel_eltwise - dst = a op b
 */
struct accel_eltwise {
	/** @a: device address of float[rows][a_stride]. */
	uint64_t a;
	/** @b: device address of float[rows][b_stride], or of float[n] if @b_row. */
	uint64_t b;
	/** @dst: device address of the result, float[rows][dst_stride]. */
	uint64_t dst;
	/** @op: what to do. */
	enum accel_eltwise_op op;
	/** @rows: 1..2^24. */
	uint32_t rows;
	/** @n: elements of a row, 1..2^24. */
	uint32_t n;
	/** @a_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t a_stride;
	/** @b_stride: elements from row to row, at least @n; 0: @n. Not looked at if @b_row. */
	uint32_t b_stride;
	/** @dst_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t dst_stride;
	/** @b_row: b is one row, for all of a's. */
	bool b_row;
};

/** accel_cmd_eltwise() - combine two matrices element by element */
int accel_cmd_eltwise(struct accel_stream *stream, const struct accel_eltwise *eltwise,
		      const struct accel_cmd_opts *opts);

/** enum accel_act_op - a function of an element */
enum accel_act_op {
	/** @ACCEL_ACT_RELU: max(x, 0) */
	ACCEL_ACT_RELU = 0,
	/** @ACCEL_ACT_SIGMOID: 1 / (1 + exp(-x)) */
	ACCEL_ACT_SIGMOID = 1,
	/** @ACCEL_ACT_SILU: x * sigmoid(x) */
	ACCEL_ACT_SILU = 2,
	/** @ACCEL_ACT_TANH: tanh(x) */
	ACCEL_ACT_TANH = 3,
	/** @ACCEL_ACT_GELU: the form with tanh */
	ACCEL_ACT_GELU = 4,
	/** @ACCEL_ACT_GELU_ERF: x (1 + erf(x / sqrt(2))) / 2 */
	ACCEL_ACT_GELU_ERF = 5,
};

/**
 * struct accel_act - dst = f(src), or f(src) * gate
 */
struct accel_act {
	/** @src: device address of float[rows][src_stride]. */
	uint64_t src;
	/** @gate: device address of float[rows][gate_stride]; 0: none. */
	uint64_t gate;
	/** @dst: device address of the result, float[rows][dst_stride]. */
	uint64_t dst;
	/** @op: the function. */
	enum accel_act_op op;
	/** @rows: 1..2^24. */
	uint32_t rows;
	/** @n: elements of a row, 1..2^24. */
	uint32_t n;
	/** @src_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t src_stride;
	/** @gate_stride: elements from row to row, at least @n; 0: @n, or 0 without @gate. */
	uint32_t gate_stride;
	/** @dst_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t dst_stride;
};

/** accel_cmd_act() - apply a function to each element */
int accel_cmd_act(struct accel_stream *stream, const struct accel_act *act,
		  const struct accel_cmd_opts *opts);

/** enum accel_reduce_op - of a row */
enum accel_reduce_op {
	/** @ACCEL_REDUCE_SUM: sum of the elements, float */
	ACCEL_REDUCE_SUM = 0,
	/** @ACCEL_REDUCE_MAX: the largest, float */
	ACCEL_REDUCE_MAX = 1,
	/** @ACCEL_REDUCE_ARGMAX: index of the largest, int32_t; of equal ones the lowest */
	ACCEL_REDUCE_ARGMAX = 2,
};

/**
 * struct accel_reduce - one value a row
 */
struct accel_reduce {
	/** @src: device address of float[rows][src_stride]. */
	uint64_t src;
	/** @dst: device address of the result, float[rows] or int32_t[rows], as @op gives. */
	uint64_t dst;
	/** @op: which value. */
	enum accel_reduce_op op;
	/** @rows: 1..2^24. */
	uint32_t rows;
	/** @n: elements of a row, 1..2^24. */
	uint32_t n;
	/** @src_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t src_stride;
};

/** accel_cmd_reduce() - one value of each row */
int accel_cmd_reduce(struct accel_stream *stream, const struct accel_reduce *reduce,
		     const struct accel_cmd_opts *opts);

/**
 * struct accel_gather - row i of dst is row index[i] of a table: an embedding, say
 *
 * An index outside the table is a fault of the job.
 */
struct accel_gather {
	/** @table: device address of @type[table_rows][table_stride]; Q8_0, Q4_0: rows of blocks, as a GGUF file has them. */
	uint64_t table;
	/** @index: device address of int32_t[rows]. */
	uint64_t index;
	/** @dst: device address of the result, float[rows][dst_stride]. */
	uint64_t dst;
	/** @rows: of the result, 1..2^24. */
	uint32_t rows;
	/** @n: elements of a row, 1..2^24. */
	uint32_t n;
	/** @table_rows: 1..2^24. */
	uint32_t table_rows;
	/** @table_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t table_stride;
	/** @dst_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t dst_stride;
	/** @type: of the table: ACCEL_S8, F32, BF16, F16, Q8_0 or Q4_0; 0: ACCEL_F32. Its elements become float. */
	enum accel_type type;
	/** @scale: ACCEL_S8: device address of floats, which a row's elements are times; else 0. */
	uint64_t scale;
	/** @scale_stride: floats from a row of the table to the next; 0: 1. */
	uint32_t scale_stride;
	/** @one_scale: @scale is one for the whole table. */
	bool one_scale;
};

/** accel_cmd_gather() - copy rows of a table by their indices; takes two records for ACCEL_S8 */
int accel_cmd_gather(struct accel_stream *stream, const struct accel_gather *gather,
		     const struct accel_cmd_opts *opts);

/**
 * struct accel_topk - the k largest values of each row, largest first
 *
 * Of equal values, the one with the lowest index comes first; NaN come last.
 */
struct accel_topk {
	/** @src: device address of float[rows][src_stride]. */
	uint64_t src;
	/** @value: device address of the values, float[rows][value_stride], or 0: not wanted. */
	uint64_t value;
	/** @index: device address of where they are in their row, int32_t[rows][index_stride]. */
	uint64_t index;
	/** @rows: 1..2^24. */
	uint32_t rows;
	/** @n: elements of a row, 1..2^24. */
	uint32_t n;
	/** @k: 1..1024, at most @n. */
	uint32_t k;
	/** @src_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t src_stride;
	/** @value_stride: elements from row to row, at least @k; 0: @k. */
	uint32_t value_stride;
	/** @index_stride: elements from row to row, at least @k; 0: @k. */
	uint32_t index_stride;
};

/** accel_cmd_topk() - the largest values of each row, and their indices */
int accel_cmd_topk(struct accel_stream *stream, const struct accel_topk *topk,
		   const struct accel_cmd_opts *opts);

/**
 * struct accel_sample - a token for each row of logits
 *
 * Of the @top_k most likely, those that together have @top_p of the probability; of these one at random, by its probability.
 * The same logits, seed, counter and row give the same token, whenever and wherever.
 */
struct accel_sample {
	/** @src: device address of the logits, float[rows][src_stride]. */
	uint64_t src;
	/** @dst: device address of the tokens, int32_t[rows]. */
	uint64_t dst;
	/** @prob: device address of their probabilities in the softmax of the row, float[rows], or 0: not wanted. */
	uint64_t prob;
	/** @rows: 1..2^24. */
	uint32_t rows;
	/** @n: elements of a row, 1..2^24: the vocabulary. */
	uint32_t n;
	/** @src_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t src_stride;
	/** @temperature: what logits are divided by; 0: the largest is taken. */
	float temperature;
	/** @top_k: 0: no limit. */
	uint32_t top_k;
	/** @top_p: above 0, at most 1; 0: 1. */
	float top_p;
	/** @seed: which sequence of random numbers. */
	uint64_t seed;
	/** @counter: where in it: another for each step. */
	uint64_t counter;
};

/** accel_cmd_sample() - choose a token of each row; takes two records */
int accel_cmd_sample(struct accel_stream *stream, const struct accel_sample *sample,
		     const struct accel_cmd_opts *opts);

/* ---- Commands on images ---------------------------------------------------------------- */

/*
 * Images are NHWC: element c of pixel (y, x) of image b is at its address plus
 * ((b * height + y) * width + x) * stride + c elements. A stride over the number of channels makes a tensor a
 * slice of a wider one. A field of 0 takes the default that it names.
 */

/**
 * struct accel_window - images, and the windows that slide over them
 */
struct accel_window {
	/** @batch: images, 1..65535; 0: 1. In and out have at most 2^24 pixels each, all images together. */
	uint32_t batch;
	/** @in_h: lines of an image, 1..65535. */
	uint32_t in_h;
	/** @in_w: pixels of a line, 1..65535. */
	uint32_t in_w;
	/** @kh: taps of a window, down; accel_cmd_conv2d(): 1..255. */
	uint32_t kh;
	/** @kw: across. */
	uint32_t kw;
	/** @stride_h: lines from window to window, 1..255; 0: 1. */
	uint32_t stride_h;
	/** @stride_w: pixels from window to window, 1..255; 0: 1. */
	uint32_t stride_w;
	/** @dilation_h: lines from tap to tap, 1..255; 0: 1. accel_cmd_pool(): 0 or 1. */
	uint32_t dilation_h;
	/** @dilation_w: pixels from tap to tap, 1..255; 0: 1. accel_cmd_pool(): 0 or 1. */
	uint32_t dilation_w;
	/** @pad_top: lines of padding above an image, less than a window's height. */
	uint32_t pad_top;
	/** @pad_left: pixels of padding left of a line, less than a window's width. */
	uint32_t pad_left;
	/** @pad_bottom: below; looked at where @out_h is 0. */
	uint32_t pad_bottom;
	/** @pad_right: on the right; looked at where @out_w is 0. */
	uint32_t pad_right;
	/** @out_h: lines of the result; 0: as many as fit the input and its padding. */
	uint32_t out_h;
	/** @out_w: pixels of a line of the result; 0: as many as fit. */
	uint32_t out_w;
	/** @src_stride: elements from pixel to pixel, at least the channels; 0: dense. */
	uint32_t src_stride;
	/** @dst_stride: elements from pixel to pixel, at least the channels; 0: dense. */
	uint32_t dst_stride;
	/** @pad_value: int8: what a padded tap reads: the input's zero point. */
	int32_t pad_value;
};

/**
 * struct accel_conv2d - a convolution of int8 images, exact sums, with the epilogue of struct accel_gemm
 *
 * An input with a zero point other than 0 is dealt with by the bias, less zero point * sum of the channel's
 * weights, and by @window.pad_value.
 */
struct accel_conv2d {
	/** @src: device address of int8_t images with @in_c channels. */
	uint64_t src;
	/** @weight: device address of weights packed by accel_pack_conv_s8(), 64-byte aligned. */
	uint64_t weight;
	/** @dst: device address of the result, aligned to its element. */
	uint64_t dst;
	/** @window: shapes. */
	struct accel_window window;
	/** @in_c: channels of the input, 1..65535, a multiple of @groups. */
	uint32_t in_c;
	/** @out_c: channels of the result, 1..65535, a multiple of @groups. */
	uint32_t out_c;
	/** @groups: parts of the channels that do not mix; 0: 1. As many as channels: depthwise. */
	uint32_t groups;
	/** @type_d: elements of the result. */
	enum accel_type type_d;
	/** @bias: device address of int32_t[out_c] (ACCEL_F32: float[out_c]); 0: none. */
	uint64_t bias;
	/**
	 * @scale: device address. ACCEL_S8: struct accel_requant[out_c], 8-byte aligned; ACCEL_F32:
	 *	float[out_c]; ACCEL_S32: 0.
	 */
	uint64_t scale;
	/** @zero: ACCEL_S8: zero point of the result, -128..127. */
	int32_t zero;
	/** @lo: ACCEL_S8: least result; the zero point makes a ReLU. Both @lo and @hi 0: -128 and 127. */
	int32_t lo;
	/** @hi: ACCEL_S8: largest result, @lo..127. */
	int32_t hi;
	/**
	 * @residual: ACCEL_S8: device address of int8_t images of the shape of the result; 0: none. May be @dst, with the
	 *	same stride. (residual - @residual_zero) * residual_mult[o] joins the channel's sum * mult
	 *	before both are divided by 2^shift and rounded, once.
	 */
	uint64_t residual;
	/** @residual_mult: device address of int32_t[out_c]: scale of the residual / that of the result * 2^shift. */
	uint64_t residual_mult;
	/** @residual_stride: elements from pixel to pixel, at least @out_c; 0: dense. */
	uint32_t residual_stride;
	/** @residual_zero: zero point of the residual, -128..127. */
	int32_t residual_zero;
};

/** accel_cmd_conv2d() - convolve images; takes two records, with a residual three */
int accel_cmd_conv2d(struct accel_stream *stream, const struct accel_conv2d *conv,
		     const struct accel_cmd_opts *opts);

/** enum accel_pool_op - what becomes of a window's taps */
enum accel_pool_op {
	/** @ACCEL_POOL_MAX: the largest; padding does not count. */
	ACCEL_POOL_MAX = 0,
	/** @ACCEL_POOL_MEAN: the mean of those that are no padding. */
	ACCEL_POOL_MEAN = 1,
	/** @ACCEL_POOL_MEAN_PADDED: the mean of all; padding counts as window.pad_value. */
	ACCEL_POOL_MEAN_PADDED = 2,
};

/**
 * struct accel_pool - the largest or the mean of each window, channel by channel
 *
 * Global pooling is a window of the size of the image.
 */
struct accel_pool {
	/** @src: device address of images of @type. */
	uint64_t src;
	/** @dst: device address of the result, of @type. */
	uint64_t dst;
	/** @window: shapes; kh * kw is at most 65536. */
	struct accel_window window;
	/** @channels: 1..65535. */
	uint32_t channels;
	/** @type: ACCEL_S8 or ACCEL_F32. */
	enum accel_type type;
	/** @op: what is made of a window. */
	enum accel_pool_op op;
};

/** accel_cmd_pool() - the largest or the mean of windows */
int accel_cmd_pool(struct accel_stream *stream, const struct accel_pool *pool,
		   const struct accel_cmd_opts *opts);

/**
 * struct accel_convert - numbers of one float type as another
 *
 * To the nearest, ties to even. A NaN is the type's one NaN.
 */
struct accel_convert {
	/** @src: device address of [rows][src_stride] elements. */
	uint64_t src;
	/** @dst: device address of the result, [rows][dst_stride] elements. */
	uint64_t dst;
	/** @src_type: ACCEL_F32, ACCEL_BF16, ACCEL_F16, ACCEL_E4M3 or ACCEL_E5M2. */
	enum accel_type src_type;
	/** @dst_type: one of these, too. */
	enum accel_type dst_type;
	/** @rows: 1..2^24. */
	uint32_t rows;
	/** @n: elements of a row, 1..2^24. */
	uint32_t n;
	/** @src_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t src_stride;
	/** @dst_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t dst_stride;
	/** @saturate: what is too large becomes the largest finite number; not for ACCEL_F32. */
	bool saturate;
};

/** accel_cmd_convert() - convert numbers between float types */
int accel_cmd_convert(struct accel_stream *stream, const struct accel_convert *convert,
		      const struct accel_cmd_opts *opts);

/** enum accel_order - how the matrix B[k][n] lies in memory */
enum accel_order {
	/**
	 * @ACCEL_ORDER_NK: a row an output channel: element (n, k) at n * ld + k (PyTorch's Linear,
	 *	GGUF).
	 */
	ACCEL_ORDER_NK = 0,
	/** @ACCEL_ORDER_KN: a row an input channel: element (n, k) at k * ld + n. */
	ACCEL_ORDER_KN = 1,
};

/**
 * struct accel_repack - matrices in the layout that GEMM reads: what accel_pack() does, on the device
 */
struct accel_repack {
	/** @src: device address of a row-major matrix, of the first; of ACCEL_S4 a byte for each element. */
	uint64_t src;
	/** @dst: device address of accel_packed_size_of(type, n, k) bytes for each matrix, 64-byte aligned. */
	uint64_t dst;
	/** @type: ACCEL_S8, ACCEL_S4, ACCEL_BF16, ACCEL_E4M3 or ACCEL_E5M2. */
	enum accel_type type;
	/** @n: columns of B: output channels, 1..2^24. */
	uint32_t n;
	/** @k: rows of B: input channels, 1..65536. */
	uint32_t k;
	/** @src_stride: elements from row to row, at least a row; 0: a row. */
	uint32_t src_stride;
	/** @order: of @src. */
	enum accel_order order;
	/** @batch: matrices, 1..65536; 0: 1. */
	uint32_t batch;
	/** @src_step: bytes from one to the next; 0: all the same. */
	uint64_t src_step;
};

/** accel_cmd_repack() - pack the weights of a GEMM */
int accel_cmd_repack(struct accel_stream *stream, const struct accel_repack *repack,
		     const struct accel_cmd_opts *opts);

#endif /* ACCEL_CMD_H */
