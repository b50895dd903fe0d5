/* SPDX-License-Identifier: ISC */
/* MODSEQ rises with every change, whatever is lost between two of them. */
#include "store.h"

static const char text[] = "Subject: one\r\n\r\nHello\r\n";

/* One change, and the MODSEQ that it got: each fourth is an EXPUNGE, the
 * others set a flag and clear it again. */
static uint64_t
change(unsigned n)
{
	struct flag_change c = {
		.op = (n - (n + 1) / 4) % 2 ? FLAGS_ADD : FLAGS_REMOVE,
		.flags = MSG_FLAGGED, .unchangedsince = UINT64_MAX };
	struct set u = { 0 }, done = { 0 }, modified = { 0 };
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);
	struct mailbox_status s;
	struct view *v;
	uint64_t modseq = 0;

	if (n % 4 == 3) {
		t_append(mb, text, MSG_DELETED, NULL);
		if (view_open(mb, &v) == STORE_OK) {
			view_expunge(v, NULL, &modseq);
			view_close(v);
		}
	} else if (view_open(mb, &v) == STORE_OK) {
		set_add(&u, 1, 1);
		view_store(v, &u, &c, &done, &modified, &modseq);
		view_close(v);
	}
	if (mailbox_status(mb, &s) != STORE_OK || s.highestmodseq < modseq)
		modseq = 0;
	t_close(mb);
	set_free(&u);
	set_free(&done);
	set_free(&modified);
	return modseq;
}

static void
rises(const char *lost, const char *what)
{
	uint64_t last = 0;
	unsigned bad = 0;

	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);
	t_append(mb, text, 0, NULL);
	t_close(mb);
	for (unsigned n = 1; n <= 40; n++) {
		uint64_t now = change(n);

		if (now <= last) {
			printf("# change %u: %ju after %ju\n", n,
			    (uintmax_t)now, (uintmax_t)last);
			bad++;
		}
		last = now;
		if (lost != NULL && n % 3 == 0)
			t_remove(lost);
	}
	ok(bad == 0, what);
	t_remove("M");
}

int
main(void)
{
	t_make_dir();
	rises(NULL, "MODSEQ rises with every change");
	rises("M/.lemon", "also when the index is deleted between them");
	rises("M/.lemon/index/data.mdb", "or its data");
	t_remove_dir();
	return done();
}
