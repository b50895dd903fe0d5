/* SPDX-License-Identifier: ISC */
#include "target.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "smtp/param.h"

/* The settings that hold for the user, if there is one. */
static void
settings(const struct control *general, struct target *t)
{
	struct control c = *general;

	if (t->account.name[0] != '\0')
		c.user = t->account.name;
	t->databytes = control_num(&c, "databytes", SMTP_SIZE_DEFAULT, 0,
	    INT64_MAX);
	t->cfg = (struct store_config){ .maildir = buf_cstr(&t->maildir),
	    .rescan = (int64_t)control_num(&c, "rescan", 30, 1, 86400),
	    .create = true };
	if (t->account.name[0] != '\0' &&
	    account_index(general, &t->account, &t->index))
		t->cfg.index = buf_cstr(&t->index);
}

int
target_address(const struct control *c, struct span address,
    struct target *t)
{
	struct span detail;
	int found;

	*t = (struct target){ 0 };
	found = account_of_address(c, address, &t->account, &detail);
	if (found <= 0) {
		int error = errno;

		account_free(&t->account);
		errno = error;
		return found == 0 && account_nowhere(c) ? -1 : found;
	}
	account_maildir(&t->account, &t->maildir);
	buf_add(&t->folder, detail);
	t->own_process = geteuid() == 0 && t->account.uid != (uid_t)-1;
	settings(c, t);
	return 1;
}

/* Root becomes the Maildir's owner, who could not read mail of root's. */
int
target_maildir(const struct control *c, const char *path, struct target *t)
{
	*t = (struct target){ .account = { .uid = (uid_t)-1,
	    .gid = (gid_t)-1 } };
	if (account_owner(path, &t->account) == -1)
		return -1;
	t->own_process = t->account.uid != (uid_t)-1;
	buf_adds(&t->maildir, path);
	settings(c, t);
	return 0;
}

void
target_free(struct target *t)
{
	account_free(&t->account);
	buf_free(&t->address);
	buf_free(&t->maildir);
	buf_free(&t->index);
	buf_free(&t->folder);
	*t = (struct target){ 0 };
}
