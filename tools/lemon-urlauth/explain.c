/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "base/civil.h"
#include "base/log.h"
#include "caller.h"
#include "mime/header.h"
#include "text/param.h"

enum { NAME_SHOWN = 400, HEADER_READ = 64 * 1024 };

/* --- what it names --- */

static void
add_section(struct buf *to, const struct section *q)
{
	static const char *const what[] = {
		[SECTION_ALL] = "", [SECTION_HEADER] = "the header of ",
		[SECTION_FIELDS] = "some header fields of ",
		[SECTION_FIELDS_NOT] = "all but some header fields of ",
		[SECTION_TEXT] = "the text of ",
		[SECTION_MIME] = "the MIME header of ",
	};

	buf_adds(to, what[q->kind]);
	if (q->depth == 0)
		return;
	buf_adds(to, "part ");
	section_path(to, q->path, q->depth);
	buf_adds(to, " of ");
}

static void
add_name(struct buf *to, const struct imap_url *u)
{
	if (u->partial && u->length != 0)
		buf_addf(to, "%lu octets, from %lu on, of ",
		    (unsigned long)u->length, (unsigned long)u->offset);
	else if (u->partial)
		buf_addf(to, "all but the first %lu octets of ",
		    (unsigned long)u->offset);
	if (u->uid != 0) {
		add_section(to, &u->section);
		buf_addf(to, "message %lu in ", (unsigned long)u->uid);
	}
	if (u->mailbox.p == NULL) {
		buf_adds(to, "a mailbox that is not said");
		return;
	}
	buf_adds(to, u->search.p != NULL ? "what is found in mailbox " :
	    "mailbox ");
	log_text(to, u->mailbox, NAME_SHOWN);
	buf_adds(to, " of ");
	log_text(to, u->user.p != NULL ? u->user : SPAN("nobody"),
	    NAME_SHOWN);
}

static void
add_type(struct buf *to, const struct digest *d, const struct digest_part *p)
{
	struct digest_str type = p->type, subtype = p->subtype;

	log_text(to, digest_string(d, type), NAME_SHOWN);
	buf_addc(to, '/');
	log_text(to, digest_string(d, subtype), NAME_SHOWN);
}

/* --- the parts of a message --- */

struct listing {
	const struct digest *digest;
	struct message *message;
	struct buf *to;
	uint32_t path[SECTION_DEPTH_MAX];
};

static void
keep(void *to, struct span octets)
{
	buf_add(to, octets);
}

/* What its MIME header calls it, if that is not too long. */
static void
add_file_name(const struct listing *l, size_t depth, struct buf *to)
{
	struct section mime = { .kind = SECTION_MIME,
		.path = (uint32_t *)(uintptr_t)l->path, .depth = depth };
	struct piece c = piece_find(l->digest, &mime);
	struct buf header = { 0 }, name = { 0 };
	struct span field;
	uint64_t n;

	if (c.kind == PIECE_NIL || piece_size(&c, l->message, &n) != 0 ||
	    n > HEADER_READ)
		return;
	if (piece_read(&c, l->message, 0, n, keep, &header) != 0)
		buf_clear(&header);
	if ((header_find(buf_span(&header), SPAN("Content-Disposition"),
	    &field) && param_get(field, SPAN("filename"), &name)) ||
	    (header_find(buf_span(&header), SPAN("Content-Type"), &field) &&
	    param_get(field, SPAN("name"), &name))) {
		buf_adds(to, ", \"");
		log_text(to, buf_span(&name), NAME_SHOWN);
		buf_addc(to, '"');
	}
	buf_free(&header);
	buf_free(&name);
}

static void
list_part(const struct listing *l, const struct digest_part *p, size_t depth)
{
	static const char *const encoding[] = { [ENC_7BIT] = "7bit",
		[ENC_8BIT] = "8bit", [ENC_BINARY] = "binary",
		[ENC_QP] = "quoted-printable", [ENC_BASE64] = "base64",
		[ENC_UNKNOWN] = "unknown encoding" };
	struct buf line = { 0 };	/* log_text's limit is of one */

	buf_adds(&line, "  part ");
	section_path(&line, l->path, depth);
	buf_adds(&line, ": ");
	add_type(&line, l->digest, p);
	add_file_name(l, depth, &line);
	buf_addf(&line, ", %s, %llu octets\n", encoding[p->encoding],
	    (unsigned long long)(p->wire_end - p->wire_body));
	buf_add(l->to, buf_span(&line));
	buf_free(&line);
}

/* A multipart's children, or the part itself as the first and only one; the
 * parts of the mail inside are not asked for. */
static void
list_parts(struct listing *l, const struct digest_part *p, size_t depth)
{
	const struct digest_part *all = l->digest->part;

	if (depth == SECTION_DEPTH_MAX)
		return;
	l->path[depth] = 1;
	if (p->kind != PART_MULTIPART) {
		list_part(l, p, depth + 1);
		return;
	}
	for (uint32_t i = p->child; i != 0; i = all[i].next) {
		if (all[i].kind == PART_MULTIPART)
			list_parts(l, &all[i], depth + 1);
		else
			list_part(l, &all[i], depth + 1);
		l->path[depth]++;
	}
}

static void
add_found(struct buf *to, const struct imap_url *u, const struct resolved *r)
{
	const struct digest *d = message_digest(r->message);
	struct listing l = { .digest = d, .message = r->message, .to = to };
	bool body;
	const struct digest_part *p = digest_find(d, u->section.path,
	    u->section.depth, &body);

	if (u->section.kind == SECTION_ALL && p != NULL) {
		buf_adds(to, ": ");
		if (u->section.depth > 0)
			add_type(to, d, p);
		else
			buf_adds(to, "message/rfc822");
		buf_adds(to, ", ");
	} else
		buf_adds(to, ": ");
	buf_addf(to, "%llu octets\n", (unsigned long long)r->n);
	if (u->section.kind == SECTION_ALL && u->section.depth == 0)
		list_parts(&l, d->part, 0);
}

/* --- who may read it --- */

static void
add_until(struct buf *to, int64_t t)
{
	int64_t day = t / 86400, second = t % 86400, year;
	int month, date;

	if (t == INT64_MAX) {
		buf_adds(to, "for ever");
		return;
	}
	if (second < 0) {
		second += 86400;
		day--;
	}
	civil_date(day, &year, &month, &date);
	buf_addf(to, "until %04lld-%02d-%02d %02d:%02d:%02d UTC",
	    (long long)year, month, date, (int)(second / 3600),
	    (int)(second / 60 % 60), (int)(second % 60));
}

void
reader_add(struct buf *to, const struct imap_url *u)
{
	static const char *const who[] = {
		[URL_NONE] = "nobody",
		[URL_SUBMIT] = "the submission server in the name of ",
		[URL_USER] = "the user ",
		[URL_AUTHUSER] = "any user who logged in",
		[URL_ANONYMOUS] = "whoever has the URL",
	};

	buf_adds(to, who[u->access]);
	log_text(to, u->access_user, NAME_SHOWN);
}

static void
add_reader(struct buf *to, const struct imap_url *u)
{
	buf_adds(to, "for ");
	reader_add(to, u);
	buf_adds(to, ", ");
	add_until(to, u->expire);
	buf_addc(to, '\n');
}

/* Of nobody in particular: whom the URL is for. */
static enum grant
check(struct house *h, struct imap_url *u)
{
	if (h->ask->caller != NULL)
		return caller_check(h, u);
	struct caller c = { .user = u->access_user.n > 0 ? u->access_user :
	    h->owner.name, .submitter = true };
	size_t at = span_rchr(c.user, '@');

	/* A name with a domain of ours is that account's. */
	if (at < c.user.n && grant_is_user(&h->owner, c.user,
	    span_head(c.user, at)))
		c.user = span_head(c.user, at);
	return grant_check(&h->owner, h->now, u, &c);
}

/* A URL that was never signed is good or not by what it names. */
static enum grant
judge(struct house *h, struct imap_url *u, enum store_result found,
    struct buf *to)
{
	enum grant g = grant_found(found);

	if (u->token.p == NULL) {
		buf_adds(to, "not signed");
	} else {
		enum grant signed_ = check(h, u);

		if (signed_ != GRANT_OK)
			g = signed_;
		buf_adds(to, g == GRANT_OK ? "good" : "not good");
	}
	if (g != GRANT_OK) {
		buf_adds(to, ": ");
		buf_adds(to, g == GRANT_LATER ? store_why(h->store) :
		    house_why(h, u, g));
	}
	return g;
}

int
explain_url(struct house *h, struct span text)
{
	struct buf line = { 0 };
	struct resolved r = { 0 };
	struct imap_url u;
	const char *why = imap_url_parse(&h->arena, text, &u);

	if (why != NULL)
		return house_no_url(h, text, why);
	if (u.user.p == NULL)
		u.user = h->owner.name;
	enum store_result found = STORE_NONEXISTENT;

	bool ours = grant_is_user(&h->owner, u.user, h->owner.name);

	if (ours)
		found = url_resolve(h->store, &h->space, &u, NULL, &r);
	add_name(&line, &u);
	if (ours && u.uid == 0 && u.search.p == NULL) {
		found = list_mailbox(h, &u, &line);
		if (found == STORE_OK) {
			line.n--;	/* its last line end */
			house_print(&line);
			buf_free(&line);
			return 0;
		}
	}
	if (found == STORE_OK)
		add_found(&line, &u, &r);
	else
		buf_addc(&line, '\n');
	if (u.access != URL_NONE)
		add_reader(&line, &u);
	enum grant g = judge(h, &u, found, &line);

	house_print(&line);
	buf_free(&line);
	resolved_free(&r);
	return g == GRANT_OK ? 0 : g == GRANT_LATER ? 75 : EXIT_INVALID;
}
