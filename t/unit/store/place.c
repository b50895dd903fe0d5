/* SPDX-License-Identifier: ISC */
#include "store.h"

static const char text[] = "Subject: one\r\n\r\nHello\r\n";

int
main(void)
{
	t_make_dir();
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);
	struct mailbox_status s;

	t_is(mb, "", "a new mailbox is empty");
	ok(t_append(mb, text, 0, NULL) == 1, "the first UID is 1");
	ok(t_append(mb, text, MSG_SEEN, "$Forwarded") == 2, "the next is 2");
	t_is(mb, "1:1 2:2S+$Forwarded", "flags and keywords come along");

	struct draft *d[3];
	uint32_t uid[3], validity;
	for (int i = 0; i < 3; i++)
		d[i] = t_draft(mb, text, 0, i == 1 ? "$Junk" : NULL);
	ok(mailbox_place(mb, d, 3, false, uid, &validity) == STORE_OK &&
	    uid[0] == 3 && uid[1] == 4 && uid[2] == 5,
	    "a batch gets its UIDs in order");
	for (int i = 0; i < 3; i++)
		draft_free(d[i]);

	d[0] = t_draft(mb, text, 0, NULL);
	ok(mailbox_place(mb, d, 1, true, NULL, NULL) == STORE_OK,
	    "a delivery goes to new/");
	draft_free(d[0]);
	t_is(mb, "1:1 2:2S+$Forwarded 3:3 4:4+$Junk 5:5 6:6",
	    "a look finds a delivery before it is committed");
	ok(mailbox_settle(mb) == STORE_OK, "and the commit comes after");
	ok(mailbox_status(mb, &s) == STORE_OK && s.messages == 6 &&
	    s.unseen == 5 && s.uidnext == 7 && s.uidvalidity == validity &&
	    s.bytes == 6 * strlen(text), "the counters count");
	t_close(mb);

	st = t_store();
	mb = t_inbox(st);
	t_is(mb, "1:1 2:2S+$Forwarded 3:3 4:4+$Junk 5:5 6:6",
	    "another session sees the same");
	uint64_t modseq = s.highestmodseq;
	t_close(mb);
	t_remove("M/.lemon");
	st = t_store();
	mb = t_inbox(st);
	t_is(mb, "1:1 2:2S+$Forwarded 3:3 4:4+$Junk 5:5 6:6",
	    "and so it does without the index");
	ok(mailbox_status(mb, &s) == STORE_OK && s.messages == 6 &&
	    s.uidnext >= 7 && s.uidvalidity == validity &&
	    s.highestmodseq > modseq, "but for a MODSEQ that jumps ahead");
	t_close(mb);
	t_remove_dir();
	return done();
}
