// SPDX-License-Identifier: MIT
/*
 * Multiply two int8 matrices on the device, and check every element against the processor.
 *
 *	cc matmul.c $(pkg-config --cflags --libs libaccel)
 */
#include <accel.h>
#include <stdio.h>
#include <stdlib.h>

enum { M = 37, N = 100, K = 300 };

static int8_t a[M][K], b[K][N];
static int32_t d[M][N];

static void fill(int8_t *x, size_t n, unsigned int seed)
{
	while (n--) {
		seed = seed * 1664525u + 1013904223u;
		*x++ = (int8_t)(seed >> 24);
	}
}

/* Is D[m][n] what the processor computes? */
static int is_right(int m, int n)
{
	int32_t sum = 0;

	for (int k = 0; k < K; k++)
		sum += a[m][k] * b[k][n];
	return d[m][n] == sum;
}

static void check(struct accel_device *dev, int ret)
{
	if (ret) {
		fprintf(stderr, "matmul: %s\n", accel_last_error(dev));
		exit(1);
	}
}

int main(void)
{
	struct accel_weights *weights;
	struct accel_queue *queue;
	struct accel_device *dev;
	struct accel_vm *vm;
	struct accel_ops *ops;
	char err[ACCEL_ERROR_MAX];
	int wrong = 0;

	if (accel_device_open(NULL, &dev, err, sizeof(err))) {
		fprintf(stderr, "matmul: %s\n", err);
		return 1;
	}
	fill(&a[0][0], sizeof(a), 1);
	fill(&b[0][0], sizeof(b), 2);

	check(dev, accel_vm_create(dev, &vm));
	check(dev, accel_queue_create(vm, NULL, &queue));
	check(dev, accel_ops_create(queue, &ops));
	/* B goes to the device once, packed; A and D travel with every call. */
	check(dev, accel_weights_create_s8(vm, &b[0][0], N, K, 0, ACCEL_ORDER_KN, NULL, NULL,
					   &weights));
	check(dev, accel_matmul_s8(ops, weights, &a[0][0], 0, M, &d[0][0], 0));

	for (int i = 0; i < M * N; i++)
		wrong += !is_right(i / N, i % N);
	printf("%d x %d x %d: %d of %d elements differ\n", M, N, K, wrong, M * N);

	accel_weights_destroy(weights);
	accel_ops_destroy(ops);
	accel_queue_destroy(queue);
	accel_vm_destroy(vm);
	accel_device_close(dev);
	return wrong ? 1 : 0;
}
