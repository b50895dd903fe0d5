/* SPDX-License-Identifier: ISC */
/* Feeds files to a fuzz target without a fuzzer, so that `make check` tries
 * its whole corpus.  Usage: replay FILE... */
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *p, size_t n);

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		FILE *f = fopen(argv[i], "rb");
		long n;

		if (f == NULL || fseek(f, 0, SEEK_END) != 0 ||
		    (n = ftell(f)) < 0) {
			perror(argv[i]);
			return 1;
		}
		rewind(f);
		/* Exactly as long as the input, so that the sanitizers see
		 * a read past its end. */
		unsigned char *p = malloc((size_t)n + (n == 0));

		if (p == NULL || fread(p, 1, (size_t)n, f) != (size_t)n) {
			perror(argv[i]);
			return 1;
		}
		fclose(f);
		LLVMFuzzerTestOneInput(p, (size_t)n);
		free(p);
	}
	return 0;
}
