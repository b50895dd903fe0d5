/* SPDX-License-Identifier: ISC */
/* LIST, LSUB and NAMESPACE.  RFC 3501 6.3.8 and 6.3.9; RFC 3348; RFC 2342. */

#include "imap/glob.h"
#include "session.h"

/* All names of the store, gathered before the first is written: a slow
 * client must not keep us from seeing the next change. */
struct names {
	struct session *s;
	struct {
		struct span wire;
		unsigned flags;
	} *name;
	size_t n, cap;
	struct buf wire;
};

static bool
gather(void *arg, struct span name, unsigned flags)
{
	struct names *l = arg;

	if (flags & FOLDER_UNREADABLE && !l->s->listed)
		session_warn(l->s, "LIST");
	buf_clear(&l->wire);
	imap_mailbox_encode(&l->s->space, name, &l->wire);
	l->name = arena_grow(&l->s->arena, l->name, &l->cap, l->n + 1,
	    sizeof(*l->name));
	l->name[l->n].wire = arena_dup(&l->s->arena, buf_span(&l->wire));
	l->name[l->n++].flags = flags;
	return true;
}

/* "INBOX" has folders below it only where the prefix says so. */
static void
adopt_all(struct names *l)
{
	if (!span_istarts(l->s->space.prefix, SPAN("INBOX")) || l->n == 0)
		return;
	for (size_t i = 1; i < l->n; i++) {
		unsigned f = l->name[i].flags;

		if (f & (FOLDER_EXISTS | FOLDER_HAS_CHILDREN))
			l->name[0].flags |= FOLDER_HAS_CHILDREN;
		if (f & (FOLDER_SUBSCRIBED | FOLDER_CHILD_SUBSCRIBED))
			l->name[0].flags |= FOLDER_CHILD_SUBSCRIBED;
	}
}

static void
delimiter(struct session *s)
{
	out_adds(&s->out, "\"");
	out_addc(&s->out, s->space.delimiter);
	out_adds(&s->out, "\"");
}

/* One name.  RFC 3348 3: \HasChildren or \HasNoChildren with each. */
static void
line(struct session *s, const char *what, struct span wire, unsigned flags)
{
	bool lsub = what[1] == 'S';

	untagged(s);
	out_adds(&s->out, what);
	out_adds(&s->out, " (");
	if (lsub)
		out_adds(&s->out, flags & FOLDER_SUBSCRIBED &&
		    flags & FOLDER_EXISTS ? "" : "\\Noselect");
	else {
		if (!(flags & FOLDER_EXISTS))
			out_adds(&s->out, "\\Noselect ");
		out_adds(&s->out, flags & FOLDER_HAS_CHILDREN ?
		    "\\HasChildren" : "\\HasNoChildren");
	}
	out_adds(&s->out, ") ");
	delimiter(s);
	out_addc(&s->out, ' ');
	wire_astring(&s->out, wire);
	untagged_end(s);
}

/*
 * Whether a name is to be shown.  RFC 3501 6.3.9: a name that is not
 * subscribed but has a subscribed one below it is shown by LSUB with "%",
 * since that wildcard does not reach the one below.
 */
static bool
wanted(bool lsub, bool percent, unsigned flags)
{
	if (!lsub)
		return flags & (FOLDER_EXISTS | FOLDER_HAS_CHILDREN);
	return flags & FOLDER_SUBSCRIBED ||
	    (percent && flags & FOLDER_CHILD_SUBSCRIBED);
}

/* RFC 3501 6.3.8: an empty pattern asks for the delimiter and the root of
 * the reference. */
static void
root(struct session *s, const char *what, struct span reference)
{
	struct span prefix = s->space.prefix;
	bool below = prefix.n > 0 && span_istarts(reference, prefix);

	untagged(s);
	out_adds(&s->out, what);
	out_adds(&s->out, " (\\Noselect) ");
	delimiter(s);
	out_addc(&s->out, ' ');
	wire_string(&s->out, below ? prefix : SPAN(""));
	untagged_end(s);
}

static enum result
list(struct session *s, struct lex *l, const char *what)
{
	bool lsub = what[1] == 'S';
	struct names names = { .s = s };
	struct buf full = { 0 };

	lex_space(l);
	struct span reference = lex_astring(l);
	lex_space(l);
	struct span pattern = lex_list_mailbox(l);
	if (!lex_end(l))
		return BAD;

	if (pattern.n == 0) {
		root(s, what, reference);
		return reply_ok(s, "Listed.");
	}
	enum store_result r = store_list(s->store, gather, &names);

	buf_free(&names.wire);
	if (r != STORE_OK)
		return reply_store(s, r);
	s->listed = true;
	adopt_all(&names);
	buf_add(&full, reference);
	buf_add(&full, pattern);
	struct glob *g = glob_new(&s->arena, buf_span(&full),
	    s->space.delimiter);
	bool percent = span_chr(buf_span(&full), '%') < full.n;

	buf_free(&full);
	for (size_t i = 0; i < names.n; i++)
		if (wanted(lsub, percent, names.name[i].flags) &&
		    glob_match(g, names.name[i].wire))
			line(s, what, names.name[i].wire,
			    names.name[i].flags);
	return reply_ok(s, "Listed.");
}

static enum result
cmd_list(struct session *s, struct lex *l)
{
	return list(s, l, "LIST");
}

static enum result
cmd_lsub(struct session *s, struct lex *l)
{
	return list(s, l, "LSUB");
}

/* RFC 2342 5: there are no other users' and no shared mailboxes. */
static enum result
cmd_namespace(struct session *s, struct lex *l)
{
	if (!lex_end(l))
		return BAD;
	untagged(s);
	out_adds(&s->out, "NAMESPACE ((");
	wire_string(&s->out, s->space.prefix);
	out_addc(&s->out, ' ');
	delimiter(s);
	out_adds(&s->out, ")) NIL NIL");
	untagged_end(s);
	return reply_ok(s, "These are yours.");
}

const struct cmd cmds_list[] = {
	{ "LIST", USER, "CHILDREN", cmd_list },
	{ "LSUB", USER, NULL, cmd_lsub },
	{ "NAMESPACE", USER, "NAMESPACE", cmd_namespace },
	{ 0 }
};
