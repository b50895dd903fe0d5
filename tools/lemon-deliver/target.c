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

	if (!t->mail.path)
		c.user = t->mail.account.name;
	t->databytes = control_num(&c, "databytes", SMTP_SIZE_DEFAULT, 0,
	    INT64_MAX);
	mail_settle(general, &t->mail);
	t->mail.cfg.rescan = (int64_t)control_num(&c, "rescan", 30, 1, 86400);
	t->mail.cfg.create = true;
}

int
target_address(const struct control *c, struct span address,
    struct target *t)
{
	struct span detail;
	int found;

	*t = (struct target){ 0 };
	found = account_of_address(c, address, &t->mail.account, &detail);
	if (found <= 0) {
		int error = errno;

		account_free(&t->mail.account);
		errno = error;
		return found == 0 && account_nowhere(c) ? -1 : found;
	}
	buf_add(&t->folder, detail);
	t->own_process = geteuid() == 0 && t->mail.account.uid != (uid_t)-1;
	settings(c, t);
	return 1;
}

/* Root becomes the Maildir's owner, who could not read mail of root's. */
int
target_maildir(const struct control *c, const char *path, struct target *t)
{
	*t = (struct target){ .mail = { .path = true,
	    .account = { .uid = (uid_t)-1, .gid = (gid_t)-1 } } };
	if (account_owner(path, &t->mail.account) == -1)
		return -1;
	t->own_process = t->mail.account.uid != (uid_t)-1;
	buf_adds(&t->mail.account.maildir, path);
	settings(c, t);
	return 0;
}

void
target_free(struct target *t)
{
	mail_free(&t->mail);
	buf_free(&t->address);
	buf_free(&t->folder);
	*t = (struct target){ 0 };
}
