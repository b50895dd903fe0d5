/* SPDX-License-Identifier: ISC */
/*
 * What a hostile server of ours may say to lemon-urlauth -s, and hear from
 * it.  The first octet chooses the side.  A request that is taken is written
 * again as it came; of an answer nothing is given that did not come.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../memory.h"
#include "url/remote.h"

enum { MOST = 16 * 1024, MS = 5000 };

int LLVMFuzzerTestOneInput(const unsigned char *p, size_t n);

static void
requests(struct remote *r, struct span all)
{
	struct arena a = { 0 };
	struct buf again = { 0 };
	struct remote_request q;

	r->out.op = t_hear;
	r->out.ctx = &again;
	while (remote_take(&r->in, &a, &q) == 1) {
		remote_ask(r, &q);
		if (q.caller.user.n > REMOTE_USER_MAX ||
		    q.url.n > IMAP_URL_MAX || (q.caller.user.p != NULL &&
		    q.caller.user.n == 0))
			abort();
		arena_reset(&a);
	}
	out_flush(&r->out);
	if (!span_starts(all, buf_span(&again)))
		abort();
	buf_free(&again);
	arena_free(&a);
}

static void
count(void *arg, struct span octets)
{
	*(uint64_t *)arg += octets.n;
}

static void
answers(struct remote *r, struct span all)
{
	struct buf structure = { 0 };
	enum remote_result a;
	uint64_t n, got, sum = 0;

	do {
		a = remote_answer(r, MS, &structure, &n);
		got = 0;
		if (a <= REMOTE_NUL && remote_read(r, count, &got) != 0)
			a = REMOTE_LATER;
		else if (a <= REMOTE_NUL && got != n)
			abort();
		sum += got;
	} while (a != REMOTE_LATER);
	if (sum + structure.n > all.n)
		abort();
	buf_free(&structure);
}

int
LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	struct span all = { (const char *)p + 1, n - 1 };
	struct remote r;
	int s[2];

	if (n == 0 || n > MOST ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, s) != 0)
		return 0;
	if (write(s[1], all.p, all.n) != (ssize_t)all.n)
		abort();
	close(s[1]);
	remote_over(&r, s[0]);
	if (p[0] & 1)
		answers(&r, all);
	else
		requests(&r, all);
	remote_close(&r);
	return 0;
}
