// SPDX-License-Identifier: MIT
/* make-vectors DIR: write the files of all tables to DIR. */
#include <stdlib.h>

#include "vectors.h"

int main(int argc, char **argv)
{
	char path[4096];
	unsigned int i;
	char *text;
	FILE *f;

	if (argc != 2) {
		fprintf(stderr, "Usage: make-vectors DIR\n");
		return 2;
	}
	for (i = 0; i < vector_file_count; i++) {
		snprintf(path, sizeof(path), "%s/%s", argv[1], vector_files[i]->name);
		f = fopen(path, "w");
		text = vector_file_text(vector_files[i]);
		if (!f || !text || fputs(text, f) < 0 || fclose(f)) {
			fprintf(stderr, "make-vectors: cannot write %s\n", path);
			return 1;
		}
		free(text);
	}
	return 0;
}
