/* SPDX-License-Identifier: ISC */
#include "mime/digest.h"

#include <string.h>

#include "mime/digest-form.h"
#include "mime/header.h"

static bool
section(struct span raw, struct digest_str s, struct span *to)
{
	if (s.at > raw.n || s.n > raw.n - s.at)
		return false;
	*to = (struct span){ raw.p + s.at, s.n };
	return true;
}

static bool
inside(struct digest_str s, size_t n)
{
	return s.at <= n && s.n <= n - s.at;
}

/* Children and successors come later, parents earlier: no walk is endless.
 * The kinds promise what walkers rely on. */
static bool
part_good(const struct digest *d, uint32_t i)
{
	const struct digest_part *p = &d->part[i];

	return p->file_header <= p->file_body &&
	    p->file_body <= p->file_end && p->file_end <= d->file_size &&
	    p->wire_header <= p->wire_body && p->wire_body <= p->wire_end &&
	    p->wire_end <= d->wire_size && p->kind <= PART_MESSAGE &&
	    p->encoding <= ENC_UNKNOWN && p->child < d->parts &&
	    p->next < d->parts && (p->parent < i || i == 0) &&
	    (p->child > i || p->child == 0) && (p->next > i || p->next == 0) &&
	    (p->child != 0) == (p->kind != PART_LEAF) &&
	    inside(p->type, d->strings.n) &&
	    inside(p->subtype, d->strings.n) &&
	    inside(p->charset, d->strings.n);
}

bool
digest_open(struct span raw, struct digest *d)
{
	struct digest_head h;
	struct span parts;
	struct span *to[DIGEST_SECTIONS] = { &parts, &d->strings,
		&d->envelope, &d->body, &d->bodystructure, &d->fields,
		&d->checkpoints };

	if (raw.n < sizeof h)
		return false;
	memcpy(&h, raw.p, sizeof h);
	if (memcmp(h.magic, DIGEST_MAGIC, sizeof h.magic) != 0 ||
	    h.version != DIGEST_VERSION)
		return false;
	for (size_t i = 0; i < DIGEST_SECTIONS; i++)
		if (!section(raw, h.section[i], to[i]))
			return false;
	d->raw = raw;
	d->raw_eol = (h.flags & DIGEST_RAW) != 0;
	d->fields_whole = (h.flags & DIGEST_FIELDS_WHOLE) != 0;
	d->has_binary = (h.flags & DIGEST_HAS_BINARY) != 0;
	d->file_size = h.file_size;
	d->wire_size = h.wire_size;
	d->date = h.date;
	d->date_zone = h.date_zone;
	memcpy(d->emailid, h.emailid, sizeof d->emailid);
	d->parts = (uint32_t)(parts.n / sizeof *d->part);
	d->part = (const void *)parts.p;
	if (d->parts == 0 || d->checkpoints.n %
	    sizeof(struct digest_checkpoint) != 0)
		return false;
	for (uint32_t i = 0; i < d->parts; i++)
		if (!part_good(d, i))
			return false;
	return true;
}

struct span
digest_string(const struct digest *d, struct digest_str s)
{
	return (struct span){ d->strings.p + s.at, s.n };
}

static const struct digest_part *
nth_child(const struct digest *d, const struct digest_part *p, uint32_t n)
{
	uint32_t i = n == 0 ? 0 : p->child;

	while (i != 0 && --n > 0)
		i = d->part[i].next;
	return i == 0 ? NULL : &d->part[i];
}

/* RFC 3501 6.4.5 */
const struct digest_part *
digest_find(const struct digest *d, const uint32_t *path, size_t n,
    bool *body_of)
{
	const struct digest_part *p = &d->part[0];
	bool message = true;	/* p is a message, not a part of one */

	*body_of = false;
	for (size_t i = 0; i < n; i++) {
		*body_of = false;
		if (!message && p->kind == PART_MESSAGE) {
			p = &d->part[p->child];
			message = true;
		}
		if (p->kind == PART_MULTIPART) {
			p = nth_child(d, p, path[i]);
			if (p == NULL)
				return NULL;
		} else if (message && path[i] == 1) {
			*body_of = true;
		} else {
			return NULL;
		}
		message = false;
	}
	return p;
}

/*
 * What the lists of mutt, mbsync, Thunderbird, Roundcube, K-9, Delta Chat,
 * Evolution and their like ask for, in the order of octets in lower case.
 */
#define K(s) SPAN_INIT(s)
static const struct span kept[] = {
	K("auto-submitted"), K("autocrypt-setup-message"), K("bcc"), K("cc"),
	K("chat-version"), K("content-class"), K("content-description"),
	K("content-disposition"), K("content-id"), K("content-language"),
	K("content-transfer-encoding"), K("content-type"), K("date"),
	K("delivered-to"), K("disposition-notification-to"), K("followup-to"),
	K("from"), K("importance"), K("in-reply-to"), K("lines"), K("list-id"),
	K("list-post"), K("list-subscribe"), K("list-unsubscribe"),
	K("list-unsubscribe-post"), K("mail-followup-to"), K("mail-reply-to"),
	K("message-id"), K("mime-version"), K("newsgroups"),
	K("original-recipient"), K("precedence"), K("priority"),
	K("references"), K("reply-to"), K("resent-date"), K("resent-from"),
	K("resent-message-id"), K("resent-to"), K("return-path"),
	K("secure-join"), K("sender"), K("sensitivity"), K("subject"), K("to"),
	K("x-draft-info"), K("x-k9mail-identity"), K("x-keywords"),
	K("x-label"), K("x-mailer"), K("x-microsoft-original-message-id"),
	K("x-mozilla-draft-info"), K("x-mozilla-keys"), K("x-msmail-priority"),
	K("x-original-to"), K("x-priority"), K("x-spam-flag"),
	K("x-spam-status"), K("x-status"), K("x-tuid"),
	K("x-uniform-type-identifier"), K("x-universally-unique-identifier")
};

/* As span_cmp, with a in lower case; b is in lower case already. */
static int
compare(struct span a, struct span b)
{
	for (size_t i = 0; i < a.n && i < b.n; i++) {
		int r = (unsigned char)ascii_lower(a.p[i]) -
		    (unsigned char)b.p[i];

		if (r != 0)
			return r;
	}
	return (a.n > b.n) - (a.n < b.n);
}

bool
digest_keeps(struct span name)
{
	size_t lo = 0, hi = COUNT(kept);
	int first = name.n == 0 ? 0 :
	    (unsigned char)ascii_lower(name.p[0]);

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int r = first - kept[mid].p[0];

		if (r == 0)
			r = compare(name, kept[mid]);
		if (r == 0)
			return true;
		if (r < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return false;
}

void
digest_field(const struct digest *d, struct span name, struct buf *to)
{
	struct span rest = d->fields;
	struct header_field f;

	while (header_next(&rest, &f))
		if (span_ieq(f.name, name))
			buf_add(to, f.whole);
}

static struct digest_checkpoint
checkpoint(const struct digest *d, size_t i)
{
	struct digest_checkpoint c;

	memcpy(&c, d->checkpoints.p + i * sizeof c, sizeof c);
	return c;
}

uint64_t
digest_file_offset(const struct digest *d, uint64_t wire, uint64_t *wire_at)
{
	size_t lo = 0;
	size_t hi = d->checkpoints.n / sizeof(struct digest_checkpoint);

	if (d->file_size == d->wire_size) {
		*wire_at = wire < d->wire_size ? wire : d->wire_size;
		return *wire_at;
	}
	/* The last one at or before: below lo all are, from hi on none. */
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (checkpoint(d, mid).wire <= wire)
			lo = mid + 1;
		else
			hi = mid;
	}
	*wire_at = 0;
	if (lo == 0)
		return 0;
	struct digest_checkpoint c = checkpoint(d, lo - 1);

	if (c.wire > wire || c.file > d->file_size)
		return 0;
	*wire_at = c.wire;
	return c.file;
}
