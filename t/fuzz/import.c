/* SPDX-License-Identifier: ISC */
/* The files of Dovecot and Courier, and our own lists of lines, with any
 * octets in them.  The first octet says which files the rest is written to.
 * What is taken from them keeps the promises of import_folder. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "store/internal.h"
#include "store/line.h"
#include "store/subscriptions.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const char *const names[] = { "dovecot-uidlist", "dovecot-keywords",
	"courierimapuiddb", "courierimapkeywords/:list",
	"courierimapkeywords/base" };

static void
check(const struct import *im)
{
	for (size_t i = 0; i < im->n; i++) {
		const struct import_msg *m = &im->msg[i];

		if (m->base.n == 0 || (m->uid != 0 &&
		    (m->uid >= im->uidnext || im->uidvalidity == 0)))
			abort();
		if (i > 0 && m->uid != 0 && m->uid <= m[-1].uid)
			abort();
	}
}

static void
folder(uint8_t which, struct span text)
{
	char path[] = "/dev/shm/lemon-fuzz.XXXXXX";
	struct import im;
	int dir;

	if (mkdtemp(path) == NULL)
		return;
	dir = open(path, O_RDONLY | O_DIRECTORY);
	mkdirat(dir, "courierimapkeywords", 0700);
	for (size_t i = 0; i < COUNT(names); i++) {
		int fd;

		if (!(which >> i & 1))
			continue;
		fd = openat(dir, names[i], O_WRONLY | O_CREAT, 0600);
		(void)file_write(fd, text);
		close(fd);
	}
	(void)import_folder(dir, &im);
	check(&im);
	arena_free(&im.mem);
	for (size_t i = 0; i < COUNT(names); i++)
		unlinkat(dir, names[i], 0);
	unlinkat(dir, "courierimapkeywords", AT_REMOVEDIR);
	close(dir);
	rmdir(path);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span text = { (const char *)p + 1, n - 1 }, body;
	struct subscriptions subs = { 0 };
	struct buf b = { 0 }, c = { 0 };

	if (n == 0)
		return 0;
	folder(p[0], text);
	subscriptions_parse(&subs, text, p[0] & 1 ? SUBS_COURIER :
	    SUBS_DOVECOT);
	subscriptions_free(&subs);

	(void)line_check(text, &body);
	line_escape(&b, text);
	if (!line_unescape(&c, buf_span(&b)) ||
	    !span_eq(buf_span(&c), text))
		abort();
	line_seal(&b, 0);
	if (!line_check(span_head(buf_span(&b), b.n - 1), &body))
		abort();
	buf_clear(&c);
	(void)line_unescape(&c, text);
	buf_free(&b);
	buf_free(&c);
	return 0;
}
