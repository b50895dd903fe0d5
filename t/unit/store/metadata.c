/* SPDX-License-Identifier: ISC */
#include "store/metadata.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "store/internal.h"
#include "store/line.h"
#include "store/subscriptions.h"

#include "../../t.h"

static char dir[] = "/tmp/lemon-metadata.XXXXXX";

static bool
show(void *arg, struct span key, struct span value)
{
	struct buf *b = arg;

	buf_add(b, key);
	buf_addc(b, '=');
	buf_add(b, value);
	buf_addc(b, ';');
	return true;
}

static void
each(struct store *st, struct span prefix, const char *want,
    const char *what)
{
	struct buf b = { 0 };

	if (metadata_each(st, prefix, show, &b) != STORE_OK)
		buf_adds(&b, "failed");
	is(buf_span(&b), span_str(want), what);
	buf_free(&b);
}

static void
keys(struct store *st)
{
	const struct metadata first[] = {
		{ SPAN("b/two words"), SPAN("line\nline %\0end"), false },
		{ SPAN("a/empty"), SPAN(""), false },
		{ SPAN("b/x"), SPAN("old"), false },
		{ SPAN("b/x"), SPAN("new"), false },
		{ SPAN("gone"), SPAN(""), true },
	};
	const struct metadata second[] = {
		{ SPAN("b/x"), SPAN(""), true },
		{ SPAN(""), SPAN("of the empty key"), false },
	};
	struct metadata big = { .key = SPAN("big") };
	struct buf b = { 0 };

	ok(metadata_get(st, SPAN("a"), &b) == STORE_NONEXISTENT,
	    "at first there is nothing");
	each(st, SPAN(""), "", "at all");
	ok(metadata_set(st, first, COUNT(first)) == STORE_OK,
	    "several are set at once");
	ok(metadata_get(st, SPAN("b/two words"), &b) == STORE_OK &&
	    span_eq(buf_span(&b), SPAN("line\nline %\0end")),
	    "any octets can be kept");
	buf_clear(&b);
	ok(metadata_get(st, SPAN("a/empty"), &b) == STORE_OK && b.n == 0,
	    "none too");
	each(st, SPAN("b/x"), "b/x=new;", "the last of two counts");
	ok(metadata_set(st, second, 2) == STORE_OK, "one goes, one comes");
	each(st, SPAN("a"), "a/empty=;", "others are as they were");
	big.value.n = METADATA_VALUE_MAX + 1;
	big.value.p = calloc(1, big.value.n);
	ok(metadata_set(st, &big, 1) == STORE_LIMIT,
	    "what is too big is refused");
	free((char *)(uintptr_t)big.value.p);
	buf_free(&b);
}

static void
damage(struct store *st)
{
	struct metadata more = { SPAN("new"), SPAN("1"), false };
	struct buf b = { 0 };
	size_t at;

	(void)file_read(st->dir, "lemon-metadata", 100000, &b);
	at = span_find(buf_span(&b), SPAN("a/empty"));
	ok(at < b.n, "an administrator can read it");
	b.p[at] = 'X';
	(void)file_replace(st->dir, "lemon-metadata", buf_span(&b), 0600);
	buf_clear(&b);
	ok(metadata_get(st, SPAN("X/empty"), &b) == STORE_NONEXISTENT &&
	    metadata_get(st, SPAN("a/empty"), &b) == STORE_NONEXISTENT,
	    "a damaged line has no effect");
	ok(metadata_get(st, SPAN("b/two words"), &b) == STORE_OK,
	    "and does no harm");
	ok(metadata_set(st, &more, 1) == STORE_OK, "a change");
	buf_clear(&b);
	(void)file_read(st->dir, "lemon-metadata", 100000, &b);
	ok(span_find(buf_span(&b), SPAN("X/empty")) < b.n,
	    "leaves it for who can mend it");
	buf_free(&b);
}

/* Who mends a file by hand may leave a key twice. */
static void
twice(struct store *st)
{
	struct metadata m = { SPAN("twice"), SPAN("new"), false };
	struct buf b = { 0 };

	for (int i = 0; i < 3; i++) {
		size_t begin = b.n;

		buf_adds(&b, "twice old");
		line_seal(&b, begin);
	}
	(void)file_replace(st->dir, "lemon-metadata", buf_span(&b), 0600);
	buf_clear(&b);
	ok(metadata_set(st, &m, 1) == STORE_OK &&
	    metadata_get(st, m.key, &b) == STORE_OK &&
	    span_eq(buf_span(&b), m.value),
	    "what is set counts, were the key there thrice");
	buf_free(&b);
}

static const struct {
	enum subscription_form form;
	const char *text, *names;
} subs[] = {
	{ SUBS_DOVECOT, "V\t2\n\nLists\tC\nR&AOk-sum&AOk-\nINBOX\n",
	    "Lists/C,R\xc3\xa9sum\xc3\xa9,INBOX," },
	{ SUBS_DOVECOT, "Lists.C\nLists/D\nINBOX\n\nlast",
	    "Lists/C,Lists/D,INBOX,last," },
	{ SUBS_DOVECOT, "V\t2\n\nbad&x\na\001t\n..\nINBOX\tx\n",
	    "bad%26x,a%01t,%2E%2E,%49NBOX/x," },
	{ SUBS_DOVECOT, "V\t3\n\nx\n", "V%093,x," },
	{ SUBS_DOVECOT, "", "" },
	{ SUBS_COURIER, "INBOX.Lists.C\nINBOX.R\xc3\xa9sum\xc3\xa9\n"
	    "INBOX.a&b\nINBOX\nx\n", "Lists/C,R\xc3\xa9sum\xc3\xa9,a&b,"
	    "INBOX,x," },
};

static void
subscriptions(struct store *st)
{
	struct subscriptions s;
	struct buf b = { 0 };

	for (size_t i = 0; i < COUNT(subs); i++) {
		s = (struct subscriptions){ 0 };
		subscriptions_parse(&s, span_str(subs[i].text), subs[i].form);
		buf_clear(&b);
		for (size_t k = 0; k < s.n; k++) {
			struct span n = s.sub[k].name;

			for (size_t j = 0; j < n.n; j++)
				buf_addc(&b, n.p[j] == 0 ? '/' : n.p[j]);
			buf_addc(&b, ',');
		}
		is(buf_span(&b), span_str(subs[i].names),
		    "subscriptions of others are read");
		subscriptions_free(&s);
	}
	(void)file_replace(st->dir, "courierimapsubscribed",
	    SPAN("INBOX.a&b\nINBOX\n"), 0600);
	ok(store_subscribe(st, (struct span){ "x\0y.z", 5 }, true) ==
	    STORE_OK && store_subscribe(st, SPAN("R\xc3\xa9"), true) ==
	    STORE_OK && store_subscribe(st, SPAN("%2E%2E"), true) ==
	    STORE_OK && store_subscribe(st, SPAN("inbox"), false) == STORE_OK,
	    "names are subscribed, others are not");
	buf_clear(&b);
	(void)file_read(st->dir, "subscriptions", 10000, &b);
	is(buf_span(&b), SPAN("V\t2\n\na&-b\nx\ty&AC4-z\nR&AOk-\n\t\t\n"),
	    "in Dovecot's form, with Courier's taken over");
	ok(store_subscribe(st, SPAN("a/b"), true) == STORE_CANNOT &&
	    store_subscribe(st, SPAN(""), true) == STORE_CANNOT &&
	    store_subscribe(st, SPAN("a\n"), true) == STORE_CANNOT,
	    "what can be no name is refused");
	(void)unlinkat(st->dir, "subscriptions", 0);
	ok(symlinkat("/etc/passwd", st->dir, "subscriptions") == 0 &&
	    store_subscribe(st, SPAN("x"), true) != STORE_OK,
	    "no link is followed");
	buf_free(&b);
}

int
main(void)
{
	struct store_config cfg = { .maildir = dir, .create = true };
	const char *why = NULL;
	struct store *st;

	if (mkdtemp(dir) == NULL || store_open(&st, &cfg, &why) != STORE_OK)
		return 1;
	keys(st);
	damage(st);
	twice(st);
	subscriptions(st);
	store_close(st);
	if (fork() == 0)
		execlp("rm", "rm", "-r", dir, (char *)NULL);
	return done();
}
