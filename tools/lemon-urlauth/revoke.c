/* SPDX-License-Identifier: ISC */
#include "house.h"
#include "store/urlkey.h"

int
revoke_run(struct house *h)
{
	struct buf name = { 0 };
	struct mailbox *mb;

	if (h->ask->folder == NULL) {
		house_must(h, urlkey_reset_all(h->store));
		return 0;
	}
	house_folder(h, h->ask->folder, &name);
	house_must(h, mailbox_open(h->store, buf_span(&name),
	    RIGHT_READ | RIGHT_WRITE, &mb));
	house_must(h, urlkey_reset(mb));
	mailbox_close(mb);
	buf_free(&name);
	return 0;
}
