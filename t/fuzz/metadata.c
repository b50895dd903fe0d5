/* SPDX-License-Identifier: ISC */
/* Any octets as lemon-metadata: what can be read of it stays as it is when
 * another key is set and removed again, and so does what is damaged. */
#include "store/metadata.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "sealed.h"
#include "store/internal.h"
#include "store/line.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const char file[] = "lemon-metadata";
static char dir[] = "/dev/shm/lemon-fuzz.XXXXXX";
static struct store *store;

static void
end(void)
{
	struct store *st = store;

	(void)unlinkat(st->dir, file, 0);
	store_close(st);
	if (fork() == 0)
		execlp("rm", "rm", "-r", dir, (char *)NULL);
}

static void
begin(void)
{
	struct store_config cfg = { .maildir = dir, .create = true };
	const char *why;

	if (mkdtemp(dir) == NULL ||
	    store_open(&store, &cfg, &why) != STORE_OK)
		abort();
	atexit(end);
}

static bool
note(void *arg, struct span key, struct span value)
{
	struct buf *b = arg;

	if (span_eq(key, SPAN("fuzz")))
		return true;
	line_escape(b, key);
	buf_addc(b, ' ');
	line_escape(b, value);
	buf_addc(b, '\n');
	return true;
}

static void
all(struct buf *to)
{
	buf_clear(to);
	if (metadata_each(store, SPAN(""), note, to) != STORE_OK)
		abort();
}

static void
set(struct span key, struct span value, bool remove)
{
	struct metadata m = { key, value, remove };

	if (metadata_set(store, &m, 1) != STORE_OK)
		abort();
}

static void
try(struct span text)
{
	struct buf before = { 0 }, after = { 0 };
	int fd = openat(store->dir, file, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd == -1 || file_write(fd, text) != 0)
		abort();
	close(fd);
	all(&before);
	set(SPAN("fuzz"), text, false);
	all(&after);
	if (!span_eq(buf_span(&before), buf_span(&after)))
		abort();
	buf_clear(&after);
	if (metadata_get(store, SPAN("fuzz"), &after) != STORE_OK ||
	    !span_eq(buf_span(&after), text))
		abort();
	set(SPAN("fuzz"), SPAN(""), true);
	all(&after);
	if (!span_eq(buf_span(&before), buf_span(&after)))
		abort();
	buf_free(&before);
	buf_free(&after);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span text = { (const char *)p, n };
	struct buf sealed = { 0 };

	if (store == NULL)
		begin();
	try(text);
	seal_all(&sealed, text);
	try(buf_span(&sealed));
	buf_free(&sealed);
	return 0;
}
