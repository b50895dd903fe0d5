/* SPDX-License-Identifier: ISC */
#include "store/query.h"

#include "store.h"

static const char one[] = "From: Ann <ann@example.org>\r\n"
    "Date: Tue, 1 Feb 1994 12:00:00 +0000\r\n"
    "Subject: =?utf-8?q?caf=C3=A9?= one\r\n"
    "X-Rare: needle\r\n\r\nfirst body\r\n";
static const char two[] = "From: Bob <bob@example.org>\r\n"
    "Subject: two\r\n\r\nsecond body, which is longer\r\n";
static const char three[] = "From: Ann <ann@example.org>\r\n"
    "Date: Thu, 3 Feb 1994 12:00:00 +0000\r\n"
    "Subject: three\r\nContent-Type: text/plain; charset=koi8-r\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\n8NLJ18XU\r\n";

static struct query
node(enum query_op op, struct query *sub)
{
	return (struct query){ .op = op, .sub = sub };
}

static struct query
string(enum query_op op, const char *name, const char *text)
{
	return (struct query){ .op = op, .name = span_str(name),
		.text = span_str(text) };
}

static void
finds(struct view *v, struct query q, const char *want, const char *name)
{
	struct set hits = { 0 };
	struct buf b = { 0 };

	ok(view_search(v, &q, NULL, NULL, &hits) == STORE_OK, "it is searched");
	set_print(&hits, &b);
	is(buf_span(&b), span_str(want), name);
	set_free(&hits);
	buf_free(&b);
}

static void
each_stage(struct view *v)
{
	struct range r = { 2, 9 };
	struct set uids = { .r = &r, .n = 1, .cap = 1 };
	struct query q = { .op = QUERY_FLAGS, .flags = MSG_SEEN }, a, b;

	finds(v, node(QUERY_ALL, NULL), "1:3", "all");
	finds(v, q, "2", "a flag");
	finds(v, node(QUERY_NOT, &q), "1,3", "not a flag");
	finds(v, string(QUERY_KEYWORD, NULL, "$forwarded"), "3", "a keyword");
	finds(v, (struct query){ .op = QUERY_UIDS, .uids = &uids }, "2:3",
	    "UIDs");
	finds(v, (struct query){ .op = QUERY_SMALLER, .number = 100 }, "2",
	    "a size");
	finds(v, (struct query){ .op = QUERY_SENTSINCE, .number = 8799 }, "3",
	    "a date");
	finds(v, string(QUERY_ADDRESS, "From", "ANN"), "1,3", "an address");
	finds(v, string(QUERY_HEADER, "subject", "CAF\xc3\x89 o"), "1",
	    "a field that the digest has");
	finds(v, string(QUERY_HEADER, "x-rare", "Needle"), "1",
	    "a field that it has not");
	finds(v, string(QUERY_BODY, NULL, "body"), "1:2", "a body");
	finds(v, string(QUERY_BODY, NULL, "\xd0\x9f\xd1\x80\xd0\xb8"), "3",
	    "a body in its charset");
	finds(v, string(QUERY_TEXT, NULL, "three"), "3", "a text");

	a = string(QUERY_BODY, NULL, "first");
	b = string(QUERY_HEADER, "from", "bob");
	a.next = &b;
	b.next = &q;
	finds(v, node(QUERY_OR, &a), "1:2", "one of several");
	finds(v, node(QUERY_AND, &b), "2", "all of several");
	a.next = NULL;
	finds(v, node(QUERY_NOT, &a), "2:3", "not that body");
}

static bool
no_more(void *arg)
{
	++*(int *)arg;
	return false;
}

/* Files are taken away behind the view's back: what is still found did not
 * need them. */
static void
without_files(struct view *v)
{
	struct set hits = { 0 };
	struct query q = string(QUERY_BODY, NULL, "body"), f, s;
	int asked = 0;

	ok(view_search(v, &q, no_more, &asked, &hits) == STORE_INUSE &&
	    asked == 1 && hits.n == 0, "a search can be given up");
	t_remove("M/cur");
	finds(v, string(QUERY_HEADER, "Subject", "t"), "2:3",
	    "fields that the digest has need no file");
	f = (struct query){ .op = QUERY_FLAGS, .flags = MSG_SEEN };
	s = string(QUERY_BODY, NULL, "x");
	s.next = &f;
	finds(v, node(QUERY_OR, &s), "2",
	    "nor does what is decided by flags");
	finds(v, string(QUERY_BODY, NULL, "body"), "",
	    "what cannot be read is not found");
	finds(v, node(QUERY_NOT, &q), "", "nor is it found by NOT");
}

static void
many(struct mailbox *mb)
{
	struct view *v;
	struct query q = string(QUERY_BODY, NULL, "body");
	struct query seen = { .op = QUERY_FLAGS, .flags = MSG_SEEN };

	for (int i = 0; i < 300; i++)
		t_append(mb, i % 2 == 0 ? one : three,
		    i % 3 == 0 ? MSG_SEEN : 0, NULL);
	view_open(mb, &v);
	q.next = &seen;
	struct set hits = { 0 };
	struct query or = node(QUERY_OR, &q);
	bool right = view_search(v, &or, NULL, NULL, &hits) == STORE_OK;

	for (uint32_t uid = 4; uid < 304; uid++)
		right &= set_has(&hits, uid) == ((uid - 4) % 2 == 0 ||
		    (uid - 4) % 3 == 0);
	ok(right && set_count(&hits) == 200 + 2,
	    "what is found early and late is put together");
	set_free(&hits);
	view_close(v);
}

int
main(void)
{
	t_make_dir();
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);
	struct view *v;

	t_append(mb, one, 0, NULL);
	t_append(mb, two, MSG_SEEN, NULL);
	t_append(mb, three, 0, "$Forwarded");
	ok(view_open(mb, &v) == STORE_OK, "the view opens");
	each_stage(v);
	many(mb);
	without_files(v);
	view_close(v);
	t_close(mb);
	t_remove_dir();
	return done();
}
