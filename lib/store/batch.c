/* SPDX-License-Identifier: ISC */
#include "store/batch.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

uint64_t
batch_seconds(struct span base)
{
	uint64_t v = 0;

	span_u64(span_head(base, span_chr(base, '.')), INT64_MAX, &v);
	return v;
}

void
batch_start(struct batch *b)
{
	int64_t us = clock_now_us();

	if (us < 0)
		us = 0;
	*b = (struct batch){ .sec = us / 1000000,
		.usec = (uint32_t)(us % 1000000), .pid = (uint32_t)getpid() };
	random_fill(&b->random, sizeof b->random);
	if (gethostname(b->host, sizeof b->host - 1) == -1 ||
	    b->host[0] == '\0')
		memcpy(b->host, "localhost", 10);
	/* A host name that maildir(5) would want escaped is not worth it. */
	for (char *p = b->host; *p != '\0'; p++)
		if (!ascii_alpha(*p) && !ascii_digit(*p) && *p != '.')
			*p = '-';
}

/* What all its names begin with; so that they sort by time. */
static void
prefix(const struct batch *b, struct buf *to)
{
	buf_addf(to, "%lld.M%06uP%uQ", (long long)b->sec, b->usec, b->pid);
}

void
batch_name(struct batch *b, uint64_t size, uint64_t wire, struct buf *to)
{
	uint64_t random = __builtin_bswap64(b->random);

	prefix(b, to);
	buf_addu(to, b->n++);
	buf_addc(to, 'R');
	buf_addhex(to, &random, sizeof random);
	buf_addc(to, '.');
	buf_adds(to, b->host);
	if (wire == 0)
		return;
	buf_adds(to, ",S=");
	buf_addu(to, size);
	buf_adds(to, ",W=");
	buf_addu(to, wire);
}

bool
batch_has(const struct batch *b, struct span name)
{
	struct buf t = { 0 };

	prefix(b, &t);
	bool yes = span_starts(name, buf_span(&t));
	buf_clear(&t);
	buf_addf(&t, "R%016llx.", (unsigned long long)b->random);
	yes = yes && span_find(name, buf_span(&t)) < name.n;
	buf_free(&t);
	return yes;
}
